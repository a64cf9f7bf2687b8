# For remote_handler_ecto.ex: priv/repo/migrations/20261123100000_create_processed_events.exs
defmodule EventHorizon.Repo.Migrations.CreateProcessedEvents do
  use Ecto.Migration

  def change do
    create table(:processed_events, primary_key: false) do
      add(:event_id, :string, size: 128, primary_key: true)
      add(:handled_at, :utc_datetime_usec, null: false, default: fragment("CURRENT_TIMESTAMP"))
    end

    create(index(:processed_events, [:handled_at]))

    # For the counters of the example; leave it out if apply_event/2 writes to tables of your own.
    create table(:counters, primary_key: false) do
      add(:name, :string, primary_key: true)
      add(:key, :string, size: 1024, primary_key: true)
      add(:value, :bigint, null: false)
    end
  end
end
