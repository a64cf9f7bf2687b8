defmodule Bench do
  def handle(%{event_id: _, type: _, payload: _, inserted_at: %DateTime{}}), do: :ok
  def handles(events) when is_list(events), do: Enum.each(events, &handle/1)
end

# The outbox of the Elixir plan that ehc answers, as it stands there, but for what kept it from draining at all: its
# table is public, since the drain's task deletes from it. The bound is the caller's, and nobody logs.
defmodule Bench.Plan do
  use GenServer

  @table_name :cluster_outbox

  defstruct [:table, :max_entries, syncing: false]

  def start(max_entries), do: GenServer.start(__MODULE__, max_entries, name: __MODULE__)

  def enqueue(type, payload, event_id \\ nil), do: GenServer.call(__MODULE__, {:enqueue, type, payload, event_id})
  def trigger_sync(target_node), do: GenServer.cast(__MODULE__, {:sync, target_node})
  def queue_size, do: GenServer.call(__MODULE__, :queue_size)
  def clear, do: :ets.delete_all_objects(@table_name)

  @doc "Has n processes enqueue events between them, and returns the microseconds that it took."
  def fill(events, n) do
    me = self()

    {took, _} =
      :timer.tc(fn ->
        for _ <- 1..n do
          spawn_link(fn ->
            for _ <- 1..div(events, n), do: :ok = enqueue(:increment_visit, %{page_id: "/blog", delta: 1})
            send(me, :done)
          end)
        end

        for _ <- 1..n, do: receive(do: (:done -> :ok))
      end)

    took
  end

  @doc "Drains to a node, and returns the microseconds that it took."
  def drain(node) do
    {took, _} =
      :timer.tc(fn ->
        trigger_sync(node)
        drained()
      end)

    took
  end

  defp drained, do: if(queue_size() > 0, do: drained_later(), else: :ok)

  defp drained_later do
    Process.sleep(1)
    drained()
  end

  @impl true
  def init(max_entries) do
    table = :ets.new(@table_name, [:ordered_set, :public, :named_table])
    {:ok, %__MODULE__{table: table, max_entries: max_entries}}
  end

  @impl true
  def handle_call({:enqueue, type, payload, event_id}, _from, state) do
    if :ets.info(state.table, :size) >= state.max_entries do
      {:reply, {:error, :buffer_full}, state}
    else
      event_id = event_id || Base.url_encode64(:crypto.strong_rand_bytes(12), padding: false)
      key = {System.monotonic_time(:nanosecond), event_id}
      event = %{event_id: event_id, type: type, payload: payload, inserted_at: DateTime.utc_now()}
      :ets.insert(state.table, {key, event})
      {:reply, :ok, state}
    end
  end

  def handle_call(:queue_size, _from, state), do: {:reply, :ets.info(state.table, :size), state}

  @impl true
  def handle_cast({:sync, _}, %{syncing: true} = state), do: {:noreply, state}

  def handle_cast({:sync, target_node}, state) do
    spawn(fn ->
      drain_to_node(state.table, target_node)
      GenServer.cast(__MODULE__, :sync_complete)
    end)

    {:noreply, %{state | syncing: true}}
  end

  def handle_cast(:sync_complete, state), do: {:noreply, %{state | syncing: false}}

  defp drain_to_node(table, target_node) do
    Enum.reduce_while(:ets.tab2list(table), 0, fn {key, event}, acc ->
      case replay_event(target_node, event) do
        :ok ->
          :ets.delete(table, key)
          {:cont, acc + 1}

        {:error, _reason} ->
          {:halt, acc}
      end
    end)
  end

  defp replay_event(target_node, event) do
    :erpc.call(target_node, Bench, :handle, [event], 5_000)
  rescue
    e in ErlangError -> {:error, e.original}
  end
end
