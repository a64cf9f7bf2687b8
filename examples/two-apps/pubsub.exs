# Phoenix.PubSub: your app has it from Hex. This example runs without a package, so it takes the stand-in of ehc's tests,
# unless PHOENIX_PUBSUB_EBIN names the folder of the real one's compiled modules.
case System.fetch_env("PHOENIX_PUBSUB_EBIN") do
  {:ok, ebin} ->
    Code.append_path(ebin)
    {:ok, _} = Application.ensure_all_started(:phoenix_pubsub)

  :error ->
    Code.require_file("../../transport/transporttest/beam/phoenix_pubsub.ex", __DIR__)
    {:ok, _} = :pg.start_link(Phoenix.PubSub)
end
