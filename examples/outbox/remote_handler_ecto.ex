# The receiver of ehc's outbox for an app with a database: the other form of remote_handler.ex, never beside it. Copy this
# file into lib/ and the migration beside it into priv/repo/migrations/, name your repo, and fill in apply_event/2.
# Nothing has to be supervised, and any node of the app may get any event: they share the database.
defmodule EventHorizon.Remote.Handler do
  @moduledoc """
  Takes the events that ehc delivers and has each of them take effect once.

  An event is `%{event_id: "01J…", type: :increment_visit, payload: %{page_id: "/blog", delta: 1}, inserted_at: ~U[…]}`.
  Its id goes into `processed_events` in the transaction in which it takes effect. If it comes again, the id is there
  and nothing happens. Of two nodes that insert one id at the same time, the database lets the second wait for the first.
  """

  require Logger
  import Ecto.Query, only: [from: 2]

  # --- What you change ------------------------------------------------------------------------------------------------

  @repo MyApp.Repo

  # Does what an event asks for, through @repo: it runs inside the transaction. :ok, or {:error, reason} and nothing of
  # it stays. Nothing else is undone: an e-mail or a message belongs behind a job in the same database.
  defp apply_event(:increment_visit, %{page_id: page, delta: n}), do: increment("visits", page, n)
  defp apply_event(:update_likes, %{post_id: post, delta: n}), do: increment("likes", post, n)
  # The comment is a map with strings as keys; insert it into your own table here.
  defp apply_event(:add_comment, %{post_id: post, comment: _}), do: increment("comments", post, 1)
  defp apply_event(t, _) when t in [:increment_visit, :update_likes, :add_comment], do: {:error, :invalid_payload}
  defp apply_event(_type, _payload), do: {:error, :unknown_event_type}

  # An id that is an integer counts as its digits.
  defp increment(name, key, n) when is_integer(key), do: increment(name, Integer.to_string(key), n)

  defp increment(name, key, n) when is_binary(key) and is_integer(n) do
    row = [name: name, key: key, value: n]
    @repo.insert_all("counters", [row], on_conflict: [inc: [value: n]], conflict_target: [:name, :key])
    :ok
  end

  defp increment(_, _, _), do: {:error, :invalid_payload}

  # --- What ehc calls -------------------------------------------------------------------------------------------------

  @max_batch 1000

  @doc "Handles one event: `:ok`, or `{:error, reason}`."
  def handle_buffered_event(event) do
    case transact([event]) do
      :ok -> :ok
      {:error, 0, reason} -> {:error, reason}
      {:unavailable, reason} -> {:error, {:raised, reason}}
    end
  end

  @doc """
  Handles events in order, in one transaction: `:ok`; `{:ok, n}` if only the first n were handled, for now: #{@max_batch} at
  a time, and 0 while the database is away, which no event is to blame for; or `{:error, n, reason}` if the first n were
  handled and the next one was refused.
  """
  def handle_buffered_events(events) when is_list(events) do
    {batch, rest} = Enum.split(events, @max_batch)

    case transact(batch) do
      :ok when rest == [] -> :ok
      :ok -> {:ok, @max_batch}
      {:unavailable, _} -> {:ok, 0}
      {:error, n, reason} -> {:error, n, reason}
    end
  end

  @doc "Forgets the ids of events handled more than so many days ago; run it daily. They would be new if they came again."
  def forget(days) when is_integer(days) and days > 0 do
    {count, _} = @repo.delete_all(from(e in "processed_events", where: e.handled_at < ago(^days, "day")))
    count
  end

  # --- The transaction ------------------------------------------------------------------------------------------------

  defp transact([]), do: :ok

  # A failure undoes the whole transaction, so that what comes before it is done again, without it.
  defp transact(batch) do
    case @repo.transaction(fn -> batch |> Enum.with_index() |> Enum.each(&handle/1) end) do
      {:ok, _} ->
        :ok

      {:error, {n, reason}} ->
        with :ok <- transact(Enum.take(batch, n)), do: {:error, n, reason}
    end
  rescue
    # No connection, or it was lost: with a commit under way, nobody knows. The ids will tell when the events come again.
    e ->
      Logger.error("events: #{Exception.message(e)}")
      {:unavailable, Exception.message(e)}
  end

  defp handle({event, n}) do
    case once(event) do
      :ok -> :ok
      {:error, reason} -> @repo.rollback({n, reason})
    end
  end

  defp once(%{event_id: id, type: type, payload: payload})
       when is_binary(id) and byte_size(id) in 1..128 and is_atom(type) and is_map(payload) do
    # MySQL takes no conflict_target: leave it out there.
    case @repo.insert_all("processed_events", [[event_id: id]], on_conflict: :nothing, conflict_target: [:event_id]) do
      {1, _} -> apply_event(type, payload)
      {0, _} -> :ok
    end
  rescue
    e ->
      if e.__struct__ == DBConnection.ConnectionError, do: reraise(e, __STACKTRACE__)
      {:error, {:raised, Exception.message(e)}}
  end

  defp once(_), do: {:error, :invalid_event}
end
