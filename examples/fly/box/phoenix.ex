# What the apps of the box run: a handler whose database all Machines of the app share. It is a folder, DATABASE: a
# file for each id in rows/, which only the first to come can make, as with a unique key; and in arrivals a line for
# each time that an event came, in order: id <tab> node <tab> new|again
defmodule EventHorizon.Remote.Handler do
  def handle_buffered_event(%{event_id: id, type: :increment_visit, payload: %{page_id: _, delta: _}}) do
    folder = System.fetch_env!("DATABASE")

    mark =
      case :file.open(Path.join([folder, "rows", id]), [:write, :exclusive, :raw]) do
        {:ok, row} -> row |> :file.close() |> then(fn :ok -> "new" end)
        {:error, :eexist} -> "again"
      end

    {:ok, arrivals} = :file.open(Path.join(folder, "arrivals"), [:append, :raw])
    :ok = :file.write(arrivals, "#{id}\t#{node()}\t#{mark}\n")
    :file.close(arrivals)
  end

  def handle_buffered_event(_), do: {:error, :unknown_event_type}

  # All of a batch, or how far it got: {:error, n, reason} when event n + 1 is refused.
  def handle_buffered_events(events) when is_list(events) do
    Enum.reduce_while(events, {:ok, 0}, fn event, {:ok, n} ->
      case handle_buffered_event(event) do
        :ok -> {:cont, {:ok, n + 1}}
        {:error, reason} -> {:halt, {:error, n, reason}}
      end
    end)
  end
end
