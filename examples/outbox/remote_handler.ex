# The receiver of ehc's outbox for an app that only counts. Copy this file into lib/, change what is marked, and put
# {EventHorizon.Remote.Handler, dir: "/data/events"} into the supervision tree, before what reads the counters. What holds
# and what does not is in the README beside it; in short: events go to one node of the app, and dir is a folder of that
# node alone, on a disk that stays.
defmodule EventHorizon.Remote.Handler do
  @moduledoc """
  Takes the events that ehc delivers and counts each of them once.

  An event is `%{event_id: "01J…", type: :increment_visit, payload: %{page_id: "/blog", delta: 1}, inserted_at: ~U[…]}`.
  It may come again under its id, and then changes nothing. What these functions have answered `:ok` to is on disk.

  Options of the child: `:dir` (required), `:remember` (how many of the last ids are known again, 100 000) and
  `:rotate_after` (after how many events the file is written anew, 100 000).
  """

  require Logger
  alias EventHorizon.Remote.Journal

  # --- What you change ------------------------------------------------------------------------------------------------

  @doc """
  Says what an event changes: a list of `{counter, key, delta}` with an atom, a string and an integer, or
  `{:error, reason}`, for which ehc keeps the event and says why. A key that is an integer counts as its digits.

  It may be asked twice about one event, so it does nothing but answer.
  """
  def changes(:increment_visit, %{page_id: page, delta: n}), do: {:ok, [{:visits, page, n}]}
  def changes(:update_likes, %{post_id: post, delta: n}), do: {:ok, [{:likes, post, n}]}
  def changes(:add_comment, %{post_id: post, comment: _}), do: {:ok, [{:comments, post, 1}]}
  def changes(t, _) when t in [:increment_visit, :update_likes, :add_comment], do: {:error, :invalid_payload}
  def changes(_type, _payload), do: {:error, :unknown_event_type}

  @doc """
  Hears of the counters that have changed, as `{{counter, key}, value}`, once that is on disk: the place to broadcast.
  At most once: a crash in between swallows it, and what it raises is only logged.
  """
  def changed(_counters), do: :ok

  # --- The rest is not yours ------------------------------------------------------------------------------------------

  @max_batch 1000

  @doc "Handles one event: `:ok`, or `{:error, reason}`."
  def handle_buffered_event(event) do
    with {_, 0, reason} <- handle([event]), do: {:error, reason}
  end

  @doc """
  Handles events in order, with one write to disk for all: `:ok`; `{:ok, n}` if only the first n were handled, for now:
  #{@max_batch} at a time, and 0 while the journal cannot be written, which no event is to blame for; or
  `{:error, n, reason}` if the first n were handled and the next one was refused.
  """
  def handle_buffered_events(events) when is_list(events) do
    with {:closed, n, _reason} <- handle(events), do: {:ok, n}
  end

  defp handle(events) do
    {batch, rest} = Enum.split(events, @max_batch)
    {entries, refused} = entries(batch, 0, [])

    case Journal.commit(entries) do
      {:ok, counters} -> answer(counters, refused, length(batch), rest)
      {:full, n, counters} -> answer(counters, {n, :too_many_counters}, n, rest)
      {:error, reason} -> {:closed, 0, reason}
    end
  end

  defp answer(counters, refused, n, rest) do
    if counters != [], do: tell(counters)
    if refused, do: Tuple.insert_at(refused, 0, :error), else: if(rest == [], do: :ok, else: {:ok, n})
  end

  defp tell(counters) do
    changed(counters)
  rescue
    e -> Logger.error("EventHorizon.Remote.Handler.changed/1: #{Exception.message(e)}")
  end

  @doc "The value of a counter; 0 if nothing has changed it. Raises an ArgumentError while the journal is not open."
  def count(counter, key), do: Journal.count({counter, text(key)})

  @doc "All keys of a counter with their values, as a map. Raises as count/2 does."
  def counts(counter), do: Journal.counts(counter)

  @doc false
  defdelegate child_spec(opts), to: Journal

  # Entries, {position, id, changes}, of all that are not known, and {position, reason} of the first that is refused.
  defp entries([], _, acc), do: {Enum.reverse(acc), nil}

  defp entries([event | rest], n, acc) do
    case entry(event) do
      :known -> entries(rest, n + 1, acc)
      {:ok, id, changes} -> entries(rest, n + 1, [{n, id, changes} | acc])
      {:error, reason} -> {Enum.reverse(acc), {n, reason}}
    end
  end

  defp entry(%{event_id: id, type: type, payload: payload})
       when is_binary(id) and byte_size(id) in 1..128 and is_atom(type) and is_map(payload) do
    if Journal.known?(id), do: :known, else: checked(id, changes(type, payload))
  rescue
    e -> {:error, {:raised, Exception.message(e)}}
  end

  defp entry(_), do: {:error, :invalid_event}

  defp checked(_id, {:error, reason}), do: {:error, reason}

  defp checked(id, {:ok, changes}) do
    changes = for {counter, key, n} <- changes, do: {counter, text(key), n}
    if Enum.all?(changes, &valid?/1), do: {:ok, id, changes}, else: {:error, :invalid_payload}
  end

  defp text(key) when is_integer(key), do: Integer.to_string(key)
  defp text(key), do: key

  defp valid?({counter, key, n}) when is_atom(counter) and is_binary(key) and is_integer(n),
    do: byte_size(key) <= 1024 and abs(n) < 0x8000000000000000

  defp valid?(_), do: false
end

defmodule EventHorizon.Remote.Journal do
  @moduledoc false
  # Owns the counters and the ids of the events that made them: in ETS tables, and in one file of disk_log's. An event's
  # id and what it changes are in one record, so that no crash can part them; a call's events share it. The tables follow
  # once disk_log has synced. The file:
  #
  #     {:journal, 1}                                what this is
  #     {:counters, [{{name, key}, value}]}, …       up to 1000 in each
  #     {:ids, [id]}, …                              oldest first
  #     :ready                                       the snapshot is whole
  #     {:events, [{id, [{name, key, delta}]}]}, …   one for each call since
  #
  # each as {crc32, binary} with binary = term_to_binary({n, record}) and n = 0, 1, 2…, for disk_log does not see a changed
  # byte. Each start and each rotation replace the file: write a new one, sync, rename, sync the folder. What is found:
  #
  #     a kill while a record is written      a torn tail, of which nobody was told: it is left out
  #     a kill while a snapshot is written    the file as it was, and a .new that is thrown away
  #     a hole, or a wrong sum in the middle  damage: not opened, not overwritten
  #
  # It is read through a copy: disk_log repairs by replacing what it opens, without a sync. While it cannot be read or
  # written the process stays, without tables, refuses every commit, and tries again.
  use GenServer
  require Logger

  @counters __MODULE__.Counters
  @ids __MODULE__.Ids
  @max_counters 1_000_000
  @chunk 1000
  @commit_timeout 30_000
  @reopen_after 5_000

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts, name: __MODULE__)

  # {:full, n, changed}: all before position n are done, and that one needs a counter too many.
  def commit([]), do: {:ok, []}

  def commit(entries) do
    GenServer.call(__MODULE__, {:commit, entries}, @commit_timeout)
  catch
    :exit, _ -> {:error, :no_journal}
  end

  # While the journal is not open nothing is known: the commit will say why.
  def known?(id), do: :ets.whereis(@ids) != :undefined and :ets.member(@ids, id)

  def count(key), do: Enum.find_value(:ets.lookup(@counters, key), 0, &elem(&1, 1))
  def counts(name), do: Map.new(:ets.select(@counters, [{{{name, :"$1"}, :"$2"}, [], [{{:"$1", :"$2"}}]}]))

  @impl true
  def init(opts) do
    # log: open, or nil and why; next: its next record; events: in it since the snapshot; order: {n, id} in a table, in
    # the order in which they came; last: the last n.
    state = %{log: nil, why: nil, next: 0, events: 0, order: nil, last: 0, dir: Keyword.fetch!(opts, :dir)}
    {:ok, open(Map.merge(state, %{remember: opts[:remember] || 100_000, rotate_after: opts[:rotate_after] || 100_000}))}
  end

  @impl true
  def handle_call({:commit, _}, _from, %{log: nil} = state), do: {:reply, {:error, state.why}, state}

  def handle_call({:commit, entries}, _from, state) do
    {events, values, full} = plan(entries)
    changed = Map.to_list(values)

    case write(state, events) do
      {:ok, state} ->
        :ets.insert(@counters, changed)
        state = events |> Enum.reduce(state, &remember/2) |> forget()
        {:reply, if(full, do: {:full, full, changed}, else: {:ok, changed}), state, {:continue, :rotate}}

      {:error, reason} ->
        # The record may be on disk or not. Reading the file again will tell.
        {:reply, {:error, {:journal, reason}}, close(state, reason)}
    end
  end

  @impl true
  def handle_continue(:rotate, %{events: n, rotate_after: most} = state) when n >= most, do: {:noreply, renew(state)}
  def handle_continue(:rotate, state), do: {:noreply, state}

  @impl true
  def handle_info(:open, %{log: nil} = state), do: {:noreply, open(state)}
  def handle_info(_, state), do: {:noreply, state}

  # What is new among the entries, the values that it leads to, and the position of the first that does not fit.
  defp plan(entries), do: plan(entries, @max_counters - :ets.info(@counters, :size), MapSet.new(), [], %{})

  defp plan([], _room, _seen, events, values), do: {Enum.reverse(events), values, nil}

  defp plan([{n, id, changes} | rest], room, seen, events, values) do
    if id in seen or known?(id) do
      plan(rest, room, seen, events, values)
    else
      {after_it, room} = Enum.reduce(changes, {values, room}, &add/2)
      next = [{id, changes} | events]
      if room < 0, do: {Enum.reverse(events), values, n}, else: plan(rest, room, MapSet.put(seen, id), next, after_it)
    end
  end

  defp add({name, key, delta}, {values, room}) do
    key = {name, key}
    new = not is_map_key(values, key) and not :ets.member(@counters, key)
    {Map.update(values, key, count(key) + delta, &(&1 + delta)), if(new, do: room - 1, else: room)}
  end

  defp write(state, []), do: {:ok, state}

  defp write(state, events) do
    with :ok <- put(state.log, state.next, {:events, events}), :ok <- :disk_log.sync(state.log) do
      {:ok, %{state | next: state.next + 1, events: state.events + length(events)}}
    end
  end

  defp put(log, n, record) do
    binary = :erlang.term_to_binary({n, record})
    :disk_log.log(log, {:erlang.crc32(binary), binary})
  end

  defp remember({id, _changes}, state) do
    :ets.insert(@ids, {id})
    :ets.insert(state.order, {state.last + 1, id})
    %{state | last: state.last + 1}
  end

  defp forget(state) do
    if :ets.info(state.order, :size) > state.remember do
      oldest = :ets.first(state.order)
      :ets.delete(@ids, :ets.lookup_element(state.order, oldest, 2))
      :ets.delete(state.order, oldest)
      forget(state)
    else
      state
    end
  end

  defp open(state) do
    _ = File.mkdir_p(state.dir)

    case read(path(state)) do
      {:ok, counters, ids} -> state |> fill(counters, ids) |> renew()
      {:error, reason} -> close(state, reason)
    end
  end

  defp close(state, reason) do
    Logger.error("event journal: #{inspect(reason)}; trying again in #{@reopen_after} ms")
    if state.log, do: :disk_log.close(state.log)
    for table <- [@counters, @ids, state.order], :ets.info(table) != :undefined, do: :ets.delete(table)
    Process.send_after(self(), :open, @reopen_after)
    %{state | log: nil, order: nil, why: {:journal, reason}}
  end

  # The tables get their names once they are full: nobody reads half of them.
  defp fill(state, counters, ids) do
    filled = :ets.new(__MODULE__.Filling, [:named_table, read_concurrency: true])
    :ets.insert(filled, Map.to_list(counters))
    :ets.new(@ids, [:named_table, read_concurrency: true])
    state = %{state | order: :ets.new(:order, [:ordered_set]), last: 0}
    state = ids |> Enum.map(&{&1, []}) |> Enum.reduce(state, &remember/2) |> forget()
    :ets.rename(filled, @counters)
    state
  end

  # Goes over to a new file with all that the tables hold. It is complete and synced before it gets its name; from then
  # on the old one is nobody's, and whatever fails, it is not written to.
  defp renew(state) do
    new = path(state) <> ".new"
    _ = File.rm(new)

    with {:ok, log, _} <- open_log(new),
         {:ok, next} <- named(log, write_all(log, snapshot(state)), new, path(state)) do
      if state.log, do: :disk_log.close(state.log)
      %{state | log: log, why: nil, next: next, events: 0}
    else
      {:error, reason} -> close(state, reason)
    end
  end

  # The log stays open while its file gets its name: disk_log marks a file as closed, and might do so late.
  defp named(log, written, new, path) do
    with {:ok, next} <- written,
         :ok <- :disk_log.sync(log),
         :ok <- File.rename(new, path),
         :ok <- sync_folder(Path.dirname(path)) do
      {:ok, next}
    else
      error ->
        :disk_log.close(log)
        error
    end
  end

  defp snapshot(state) do
    counters = Stream.map(chunks(@counters, :"$1"), &{:counters, &1})
    ids = Stream.map(chunks(state.order, {:_, :"$1"}), &{:ids, &1})
    Stream.concat([[{:journal, 1}], counters, ids, [:ready]])
  end

  defp chunks(table, pattern) do
    Stream.unfold(:ets.select(table, [{pattern, [], [:"$1"]}], @chunk), fn
      :"$end_of_table" -> nil
      {rows, next} -> {rows, :ets.select(next)}
    end)
  end

  defp write_all(log, records) do
    Enum.reduce_while(records, {:ok, 0}, fn record, {:ok, n} ->
      with :ok <- put(log, n, record), do: {:cont, {:ok, n + 1}}, else: (error -> {:halt, error})
    end)
  end

  defp read(path) do
    copy = path <> ".copy"

    with :ok <- File.cp(path, copy), {:ok, _} <- unmark(copy), {:ok, log, bad} <- open_log(copy) do
      if bad > 0, do: Logger.info("event journal: leaving out #{bad} bytes of a torn record")
      all = fold(log, :start, %{next: 0, torn: false, ready: false, counters: %{}, ids: []})
      :disk_log.close(log)
      all
    else
      {:error, :enoent} -> {:ok, %{}, []}
      {:error, reason} -> {:error, reason}
    end
  after
    File.rm(path <> ".copy")
  end

  defp fold(log, at, read) do
    case :disk_log.chunk(log, at) do
      {:error, reason} -> {:error, reason}
      {next, items} -> fold(log, next, Enum.reduce(items, read, &item/2))
      :eof when read.ready -> {:ok, read.counters, Enum.reverse(read.ids)}
      :eof -> {:error, {:damaged, read.next}}
    end
  end

  defp item({sum, binary}, read) when is_integer(sum) and is_binary(binary) do
    if :erlang.crc32(binary) == sum, do: whole(:erlang.binary_to_term(binary), read), else: %{read | torn: true}
  end

  defp item(_, read), do: %{read | torn: true}

  # A record is used only if all before it were: one that comes after a hole shows that the hole is no torn tail.
  defp whole({n, record}, %{next: n, torn: false} = read), do: record |> replay(read) |> Map.put(:next, n + 1)
  defp whole(_, read), do: %{read | ready: false, torn: true}

  defp replay({:journal, 1}, read), do: read
  defp replay({:counters, rows}, read), do: %{read | counters: Enum.into(rows, read.counters)}
  defp replay({:ids, ids}, read), do: %{read | ids: Enum.reverse(ids, read.ids)}
  defp replay(:ready, read), do: %{read | ready: true}
  defp replay({:events, events}, read), do: Enum.reduce(events, read, &event/2)
  defp replay(_, read), do: %{read | ready: false, torn: true}

  defp event({id, changes}, read),
    do: %{read | ids: [id | read.ids], counters: Enum.reduce(changes, read.counters, &sum/2)}

  defp sum({name, key, delta}, counters), do: Map.update(counters, {name, key}, delta, &(&1 + delta))

  defp path(state), do: Path.join(state.dir, "events.journal")

  # The name is new each time: one in use would share the process behind it.
  defp open_log(path) do
    case :disk_log.open(name: make_ref(), file: to_charlist(path), type: :halt, format: :internal, quiet: true) do
      {:ok, log} -> {:ok, log, 0}
      {:repaired, log, _, {:badbytes, bad}} -> {:ok, log, bad}
      {:error, reason} -> {:error, reason}
    end
  end

  # disk_log trusts a file that is marked as closed, and stumbles if it ends in a torn record all the same, as it may after
  # a power cut: so the copy is marked as open, to be looked through.
  defp unmark(copy) do
    File.open(copy, [:read, :write, :raw], fn file ->
      if :file.pread(file, 0, 8) == {:ok, <<1, 2, 3, 4, 99, 88, 77, 11>>}, do: :file.pwrite(file, 4, <<6, 7, 8, 9>>)
    end)
  end

  defp sync_folder(dir) do
    with {:ok, synced} <- File.open(dir, [:read, :raw, :directory], &:file.sync/1), do: synced
  end
end
