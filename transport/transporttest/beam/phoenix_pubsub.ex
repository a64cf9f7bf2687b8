# A stand-in for phoenix_pubsub 2.x, written for the tests of ehc from the description of what it does on the wire:
# a pg scope, adapter groups with registered workers, forward_to_local. It has the functions of Phoenix.PubSub that
# the tests use, with the same meaning, so that they run with it and with the real one.

defmodule Phoenix.PubSub do
  def child_spec(opts) do
    %{id: opts[:name], start: {Phoenix.PubSub.Server, :start_link, [opts]}, type: :supervisor}
  end

  def subscribe(server, topic) do
    {:ok, _} = Registry.register(server, topic, nil)
    :ok
  end

  def unsubscribe(server, topic), do: Registry.unregister(server, topic)

  def broadcast(server, topic, message, dispatcher \\ __MODULE__) do
    for pid <- :pg.get_members(Phoenix.PubSub, group(server)), node(pid) != node() do
      send(pid, {:forward_to_local, topic, message, dispatcher})
    end

    local_broadcast(server, topic, message, dispatcher)
  end

  def direct_broadcast(node, server, topic, message, dispatcher \\ __MODULE__) do
    send({group(server), node}, {:forward_to_local, topic, message, dispatcher})
    :ok
  end

  def local_broadcast(server, topic, message, dispatcher \\ __MODULE__) do
    Registry.dispatch(server, topic, {dispatcher, :dispatch, [:none, message]})
  end

  def dispatch(entries, _from, message) do
    for {pid, _} <- entries, do: send(pid, message)
    :ok
  end

  # A process broadcasts through one group, always the same.
  defp group(server) do
    groups = :persistent_term.get({__MODULE__, server})
    elem(groups, :erlang.phash2(self(), tuple_size(groups)))
  end
end

defmodule Phoenix.PubSub.Server do
  use Supervisor

  def start_link(opts), do: Supervisor.start_link(__MODULE__, opts)

  @impl true
  def init(opts) do
    server = Keyword.fetch!(opts, :name)
    adapter = Module.concat(server, "Adapter")

    groups =
      for n <- 1..Keyword.get(opts, :pool_size, 1) do
        if n == 1, do: adapter, else: :"#{adapter}_#{n}"
      end

    :persistent_term.put({Phoenix.PubSub, server}, List.to_tuple(groups))
    registry = {Registry, keys: :duplicate, name: server}
    workers = for group <- groups, do: Supervisor.child_spec({Phoenix.PubSub.Worker, {server, group}}, id: group)
    Supervisor.init([registry | workers], strategy: :one_for_one)
  end
end

defmodule Phoenix.PubSub.Worker do
  use GenServer

  def start_link({server, group}), do: GenServer.start_link(__MODULE__, {server, group}, name: group)

  @impl true
  def init({server, group}) do
    :ok = :pg.join(Phoenix.PubSub, group, self())
    {:ok, server}
  end

  @impl true
  def handle_info({:forward_to_local, topic, message, dispatcher}, server) do
    Phoenix.PubSub.local_broadcast(server, topic, message, dispatcher)
    {:noreply, server}
  end

  def handle_info(_, server), do: {:noreply, server}
end
