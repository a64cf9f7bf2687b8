defmodule Bench do
  def handle(%{event_id: _, type: _, payload: _, inserted_at: %DateTime{}}), do: :ok
end
