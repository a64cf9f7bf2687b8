# Cuts and breaks the journal's file in every way that a test asks for, and says what it then counts.
defmodule Torn do
  alias EventHorizon.Remote.{Handler, Journal}

  # The file after each of these batches, as a kill at that moment would leave it.
  def write(dir) do
    {:ok, journal} = Journal.start_link(dir: dir)
    batches = for {n, size} <- Enum.with_index([1, 3, 1, 80, 1, 2]), do: batch(n, size)
    ends = for b <- batches, do: with(:ok <- Handler.handle_buffered_events(b), do: File.stat!(file(dir)).size)
    whole = File.read!(file(dir))
    GenServer.stop(journal)
    {batches, ends, whole}
  end

  # Batch n has events of their own deltas; one batch has long keys, so that disk_log keeps it in another way.
  defp batch(size, n) do
    for i <- 1..size do
      page = if size == 80, do: String.duplicate("x", 1000) <> "#{i}", else: "/#{i}"

      %{
        event_id: "#{n}-#{i}",
        type: :increment_visit,
        payload: %{page_id: page, delta: 10 ** n + i},
        inserted_at: DateTime.utc_now()
      }
    end
    |> tap(fn b -> true = length(b) == size end)
  end

  def file(dir), do: Path.join(dir, "events.journal")

  # A byte that is not the one that was cut off: that would mend a record which lacks only its last.
  defp other(whole, p) when p < byte_size(whole), do: <<Bitwise.bxor(:binary.at(whole, p), 0x55)>>
  defp other(_, _), do: "?"

  # Not into the file that a log which is just closing may still mark.
  defp replace(dir, bytes) do
    File.rm!(file(dir))
    File.write!(file(dir), bytes)
  end

  # For each cut and each tail: wrong answers only.
  def cuts(dir) do
    {batches, ends, whole} = write(dir)
    first = hd(ends) - 200

    points =
      Enum.flat_map(
        ends,
        &[
          &1 - 9,
          &1 - 8,
          &1 - 5,
          &1 - 4,
          &1 - 1,
          &1,
          &1 + 1,
          &1 + 4,
          &1 + 5,
          &1 + 8,
          &1 + 9,
          &1 + 16,
          &1 + 23,
          &1 + 24,
          &1 + 30
        ]
      )

    points = Enum.uniq(points ++ for(_ <- 1..40, do: first + :rand.uniform(byte_size(whole) - first)))
    begin = snapshot_end(dir)

    wrong =
      for p <- points,
          p >= begin,
          p <= byte_size(whole),
          # as it is, and as if disk_log had marked it as closed
          mark <- [<<6, 7, 8, 9>>, <<99, 88, 77, 11>>],
          tail <- ["", <<0::480>>, other(whole, p) <> :crypto.strong_rand_bytes(70)] do
        replace(dir, binary_part(whole, 0, 4) <> mark <> binary_part(whole, 8, p - 8) <> tail)
        n = Enum.count(ends, &(&1 <= p))
        {counted, again} = run(dir, batches)

        if counted == total(Enum.take(batches, n)) and again == total(batches),
          do: nil,
          else: {p, byte_size(tail), n, map_size(counted)}
      end

    {length(wrong) > 100, Enum.reject(wrong, &is_nil/1)}
  end

  defp run(dir, batches) do
    {:ok, journal} = Journal.start_link(dir: dir)
    counted = Handler.counts(:visits)
    for b <- batches, do: :ok = Handler.handle_buffered_events(b)
    again = Handler.counts(:visits)
    GenServer.stop(journal)
    {counted, again}
  end

  defp total(batches) do
    for b <- batches, %{payload: p} <- b, reduce: %{}, do: (all -> Map.update(all, p.page_id, p.delta, &(&1 + p.delta)))
  end

  # How long a journal is that nothing was written to.
  defp snapshot_end(dir) do
    {:ok, journal} = Journal.start_link(dir: dir <> ".empty")
    GenServer.stop(journal)
    File.stat!(file(dir <> ".empty")).size
  end

  # Breaks one byte at a time, before the last record: it is told and the file is left alone, or nothing was lost.
  def breaks(dir) do
    {batches, ends, whole} = write(dir)
    last = Enum.at(ends, -2)
    at = Enum.uniq(Enum.to_list(0..160) ++ for(_ <- 1..60, do: :rand.uniform(last) - 1))

    found =
      for p <- at do
        <<before::binary-size(p), byte, rest::binary>> = whole
        broken = <<before::binary, Bitwise.bxor(byte, 0x41), rest::binary>>
        replace(dir, broken)
        {:ok, journal} = Journal.start_link(dir: dir)
        answer = Handler.handle_buffered_event(hd(hd(batches)))
        same = File.read!(file(dir)) == broken
        counted = answer == :ok && Handler.counts(:visits) == total(batches)
        GenServer.stop(journal)

        case answer do
          {:error, {:journal, _}} when same -> :told
          :ok when counted -> :harmless
          _ -> {:wrong, p, answer}
        end
      end

    wrong = Enum.reject(found, &(&1 in [:told, :harmless]))
    {Enum.count(found, &(&1 == :told)) > 150, wrong}
  end

  # A disk that fails and then works again.
  def fails(dir) do
    [a, b] = [batch(2, 1), batch(3, 2)]
    File.write!(dir, "in the way")
    {:ok, journal} = Journal.start_link(dir: dir)
    refused = {Handler.handle_buffered_event(hd(a)), Handler.handle_buffered_events(a)}
    File.rm!(dir)
    send(journal, :open)
    accepted = Handler.handle_buffered_events(a)
    :sys.replace_state(journal, &%{&1 | log: :gone})
    lost = Handler.handle_buffered_events(b)
    closed = Handler.handle_buffered_events(b)
    send(journal, :open)
    again = Handler.handle_buffered_events(b)
    right = Handler.counts(:visits) == total([a, b])
    GenServer.stop(journal)

    {match?({{:error, {:journal, _}}, {:ok, 0}}, refused), accepted, lost, closed, again, right,
     Handler.handle_buffered_event(hd(a))}
  end
end
