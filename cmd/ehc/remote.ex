# The remote app of `ehc dev -peer beam` and of the end-to-end tests: the handler that the outbox delivers to.
# It keeps a journal, one line for each event that arrives, on disk before it answers:
#
#     id <tab> type <tab> key <tab> delta <tab> new|again
defmodule EventHorizon.Remote.Journal do
  use GenServer

  def start(path), do: GenServer.start(__MODULE__, path, name: __MODULE__)
  def record(id, type, key, delta), do: GenServer.call(__MODULE__, {:record, id, type, key, delta})

  @impl true
  def init(path) do
    seen =
      case File.read(path) do
        {:ok, text} -> for line <- String.split(text, "\n", trim: true), into: MapSet.new(), do: hd(String.split(line, "\t"))
        {:error, :enoent} -> MapSet.new()
      end

    {:ok, file} = :file.open(path, [:append, :raw, :binary])
    {:ok, {file, seen}}
  end

  @impl true
  def handle_call({:record, id, type, key, delta}, _from, {file, seen}) do
    mark = if id in seen, do: "again", else: "new"
    :ok = :file.write(file, Enum.join([id, type, key, delta, mark], "\t") <> "\n")
    :ok = :file.datasync(file)
    {:reply, :ok, {file, MapSet.put(seen, id)}}
  end
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
