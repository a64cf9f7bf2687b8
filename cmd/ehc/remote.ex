# The remote app of `ehc dev -peer beam` and of the end-to-end tests: the handler that the outbox delivers to.
# It keeps a journal, one line for each event that arrives, on disk before it answers:
#
#     id <tab> type <tab> key <tab> delta <tab> new|again
defmodule EventHorizon.Remote.Journal do
  use GenServer

  def start(path), do: GenServer.start(__MODULE__, path, name: __MODULE__)
  def record(id, type, key, delta), do: GenServer.call(__MODULE__, {:record, id, type, key, delta})
  def count(key), do: GenServer.call(__MODULE__, {:count, key})

  @impl true
  def init(path) do
    lines =
      case File.read(path) do
        {:ok, text} -> for line <- String.split(text, "\n", trim: true), do: String.split(line, "\t")
        {:error, :enoent} -> []
      end

    {:ok, file} = :file.open(path, [:append, :raw, :binary])
    state = %{file: file, seen: MapSet.new(), counts: %{}}
    {:ok, Enum.reduce(lines, state, fn [id, type, key, delta, _], s -> take(s, id, type, key, String.to_integer(delta)) end)}
  end

  @impl true
  def handle_call({:record, id, type, key, delta}, _from, state) do
    mark = if id in state.seen, do: "again", else: "new"
    :ok = :file.write(state.file, Enum.join([id, type, key, delta, mark], "\t") <> "\n")
    :ok = :file.datasync(state.file)
    {:reply, :ok, take(state, id, type, key, delta)}
  end

  def handle_call({:count, key}, _from, state), do: {:reply, Map.get(state.counts, key, 0), state}

  defp take(state, id, type, key, delta) do
    if id in state.seen do
      state
    else
      counts = Map.update(state.counts, "#{counter(to_string(type))}:#{key}", delta, &(&1 + delta))
      %{state | seen: MapSet.put(state.seen, id), counts: counts}
    end
  end

  defp counter("increment_visit"), do: "visits"
  defp counter("update_likes"), do: "likes"
  defp counter("add_comment"), do: "comments"
end

# What ehc count asks.
defmodule Remote.Metrics do
  def get_count(key) when is_binary(key), do: EventHorizon.Remote.Journal.count(key)
end

defmodule EventHorizon.Remote.Handler do
  alias EventHorizon.Remote.Journal

  def handle_buffered_event(%{event_id: id, type: type, payload: payload, inserted_at: %DateTime{}}) when is_binary(id) do
    case {type, payload} do
      {:increment_visit, %{page_id: page, delta: delta}} -> Journal.record(id, type, page, delta)
      {:update_likes, %{post_id: post, delta: delta}} -> Journal.record(id, type, post, delta)
      {:add_comment, %{post_id: post, comment: comment}} when is_map(comment) -> Journal.record(id, type, post, 1)
      {:poison, _} -> raise "poison"
      _ -> {:error, :unknown_event_type}
    end
  end

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
