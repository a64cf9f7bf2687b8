# phoenix.aayushsahu.com: the app whose metrics these are. It takes events by the receiver of ../outbox, whose counters
# are in the folder of EVENTS and survive a kill, and answers get_count.
Code.require_file("../outbox/remote_handler.ex", __DIR__)

defmodule Remote.Metrics do
  def get_count(key) do
    [counter, of] = String.split(key, ":", parts: 2)
    EventHorizon.Remote.Handler.count(String.to_existing_atom(counter), of)
  end
end

{:ok, _} =
  Supervisor.start_link([{EventHorizon.Remote.Handler, dir: System.fetch_env!("EVENTS")}], strategy: :one_for_one)

IO.puts("ready #{System.pid()}")
IO.read(:stdio, :eof)
System.halt(0)
