# What the app that is written to needs: the receiver of ../outbox, and the one function that ehc asks.
defmodule Remote.Metrics do
  alias EventHorizon.Remote.Handler

  # Starts the receiver in a supervisor that outlives the caller.
  def start(dir) do
    {:ok, supervisor} = Supervisor.start_link([{Handler, dir: dir}], strategy: :one_for_one)
    Process.unlink(supervisor)
    :ok
  end

  def get_count(key) do
    [counter, of] = String.split(key, ":", parts: 2)
    Handler.count(String.to_existing_atom(counter), of)
  end
end
