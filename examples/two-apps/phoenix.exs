# phoenix.aayushsahu.com: the app whose metrics these are. It takes events by the receiver of ../outbox, whose counters
# are in the folder of EVENTS and survive a kill, answers get_count, and broadcasts each counter that changes.
Code.require_file("pubsub.exs", __DIR__)

defmodule Remote.Metrics do
  alias EventHorizon.Remote.Handler

  def get_count(key) do
    [counter, of] = String.split(key, ":", parts: 2)
    Handler.count(String.to_existing_atom(counter), of)
  end

  def tell(counters) do
    for {{counter, of}, value} <- counters do
      key = "#{counter}:#{of}"
      Phoenix.PubSub.broadcast(EventHorizon.PubSub, "metrics:" <> key, {:metric_updated, %{key: key, count: value}})
    end
  end
end

# The receiver is made to be copied and changed: here changed/1, the place to broadcast.
Path.expand("../outbox/remote_handler.ex", __DIR__)
|> File.read!()
|> String.replace("def changed(_counters), do: :ok", "def changed(counters), do: Remote.Metrics.tell(counters)")
|> Code.compile_string("remote_handler.ex")

{:ok, _} =
  Supervisor.start_link(
    [{Phoenix.PubSub, name: EventHorizon.PubSub}, {EventHorizon.Remote.Handler, dir: System.fetch_env!("EVENTS")}],
    strategy: :one_for_one
  )

IO.puts("ready #{System.pid()}")
IO.read(:stdio, :eof)
System.halt(0)
