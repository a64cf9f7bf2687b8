defmodule Bench do
  def handle(%{event_id: _, type: _, payload: _, inserted_at: %DateTime{}}), do: :ok
  def handles(events) when is_list(events), do: Enum.each(events, &handle/1)
end
