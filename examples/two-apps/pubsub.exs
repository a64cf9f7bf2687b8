# Phoenix.PubSub: your app has it from Hex. This example runs without a package, so it takes the stand-in of ehc's tests,
# unless PHOENIX_PUBSUB_EBIN names the folder of the real one's compiled modules: _build/dev/lib/phoenix_pubsub/ebin of an
# app that has it, or what elixirc makes of its source.
case System.fetch_env("PHOENIX_PUBSUB_EBIN") do
  {:ok, ebin} ->
    Code.append_path(ebin)
    Code.ensure_loaded?(Phoenix.PubSub) || raise "PHOENIX_PUBSUB_EBIN: no compiled Phoenix.PubSub in #{ebin}"

  :error ->
    Code.require_file("../../transport/transporttest/beam/phoenix_pubsub.ex", __DIR__)
end

# The application starts the pg scope. Without its .app file, which only mix makes, there is none to start.
case Application.ensure_all_started(:phoenix_pubsub) do
  {:ok, _} -> :ok
  {:error, {:phoenix_pubsub, {[_ | _], _}}} -> {:ok, _} = :pg.start_link(Phoenix.PubSub)
end
