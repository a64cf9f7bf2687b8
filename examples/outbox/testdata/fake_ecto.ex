# What remote_handler_ecto.ex and its migration use of Ecto, over a map in memory: enough to see in which order they ask
# for what, and what a transaction leaves behind. It is not Ecto, and knows no SQL.
defmodule DBConnection.ConnectionError do
  defexception message: "tcp recv: closed"
end

defmodule Ecto.Query do
  defmacro from(_in, clauses) do
    {_, pinned} =
      Macro.prewalk(clauses, [], fn
        {:^, _, [value]} = ast, acc -> {ast, [value | acc]}
        ast, acc -> {ast, acc}
      end)

    quote do: {unquote(Macro.to_string(clauses)), unquote(pinned)}
  end
end

defmodule Ecto.Migration do
  defmacro __using__(_), do: quote(do: import(Ecto.Migration))

  defmacro create(what, do: block),
    do:
      quote(
        do:
          (
            Ecto.Migration.begin(unquote(what))
            unquote(block)
          )
      )

  def create(_index), do: :ok
  def begin(table), do: Process.put(:table, table)
  def table(name, _opts), do: to_string(name)
  def index(_table, _columns), do: :index
  def fragment(sql), do: sql

  def add(column, _type, opts) do
    all = Process.get(:schema, %{})
    Process.put(:schema, Map.update(all, Process.get(:table), [{column, opts}], &[{column, opts} | &1]))
  end
end

defmodule MyApp.Repo do
  use Agent
  def start(schema), do: Agent.start(fn -> %{schema: schema, rows: %{}, calls: [], inside: false} end, name: __MODULE__)
  def calls, do: Agent.get_and_update(__MODULE__, &{Enum.reverse(&1.calls), %{&1 | calls: []}})
  def rows(table), do: Agent.get(__MODULE__, &Map.filter(&1.rows, fn {{t, _}, _} -> t == table end))

  def transaction(work) do
    before =
      Agent.get_and_update(
        __MODULE__,
        &if(&1.inside, do: {:nested, &1}, else: {&1.rows, note(%{&1 | inside: true}, :begin)})
      )

    true = before != :nested

    try do
      done = work.()
      Agent.update(__MODULE__, &note(%{&1 | inside: false}, :commit))
      {:ok, done}
    catch
      :throw, {:rollback, value} ->
        undo(before)
        {:error, value}

      kind, reason ->
        undo(before)
        :erlang.raise(kind, reason, __STACKTRACE__)
    end
  end

  defp undo(rows), do: Agent.update(__MODULE__, &note(%{&1 | inside: false, rows: rows}, :rollback))
  def rollback(value), do: throw({:rollback, value})
  def delete_all(query), do: Agent.get_and_update(__MODULE__, &{{3, nil}, note(&1, {:delete_all, query})})

  def insert_all(table, [row], opts) do
    answer = Agent.get_and_update(__MODULE__, &insert(&1, table, row, opts))
    if answer == :away, do: raise(DBConnection.ConnectionError)
    if is_binary(answer), do: raise(answer), else: answer
  end

  # A table takes columns that it has, a key that is its own, and a row outside a transaction not at all.
  defp insert(s, table, row, opts) do
    columns = Map.fetch!(s.schema, table)
    keys = for {c, o} <- Enum.reverse(columns), o[:primary_key], do: c
    id = {table, Enum.map(keys, &Keyword.fetch!(row, &1))}
    needed = for {c, o} <- columns, (o[:null] == false or o[:primary_key]) and o[:default] == nil, do: c
    s = note(s, {table, row})

    cond do
      not s.inside -> {"insert outside of a transaction", s}
      opts[:conflict_target] != keys -> {"conflict target #{inspect(opts)}", s}
      Enum.sort(Keyword.keys(row)) != Enum.sort(needed) -> {"columns of #{inspect(row)}", s}
      row[:key] == "/away" -> {:away, s}
      row[:key] == "/broken" -> {"constraint broken", s}
      not is_map_key(s.rows, id) -> {{1, nil}, put_in(s.rows[id], Map.new(row))}
      opts[:on_conflict] == :nothing -> {{0, nil}, s}
      true -> {{1, nil}, update_in(s.rows[id].value, &(&1 + opts[:on_conflict][:inc][:value]))}
    end
  end

  defp note(s, call), do: %{s | calls: [call | s.calls]}
end
