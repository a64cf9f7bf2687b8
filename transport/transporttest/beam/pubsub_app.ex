# An app that uses Phoenix.PubSub, the real one or the stand-in, as far as the tests need one.

defmodule Ehc.PubSubApp do
  # Starts the scope, as the phoenix_pubsub application does, and servers: [{name, pool_size}].
  def start(servers) do
    case Application.ensure_all_started(:phoenix_pubsub) do
      {:ok, _} -> :ok
      {:error, _} -> {:ok, _} = scope()
    end

    children =
      for {name, pool} <- servers, do: Supervisor.child_spec({Phoenix.PubSub, name: name, pool_size: pool}, id: name)

    {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
    Process.unlink(supervisor)
    :ok
  end

  # The stand-in has no application; its scope is not restarted.
  defp scope do
    with {:ok, pid} <- :pg.start_link(Phoenix.PubSub) do
      Process.unlink(pid)
      {:ok, pid}
    end
  end

  # Ends the scope, which leaves the servers deaf, and makes sure that there is one again.
  def lose_scope do
    pid = Process.whereis(Phoenix.PubSub)
    ref = Process.monitor(pid)
    Process.exit(pid, :kill)
    receive do: ({:DOWN, ^ref, _, _, _} -> :ok)
    :ok
  end

  def new_scope do
    case scope() do
      {:ok, _} -> :ok
      {:error, {:already_started, _}} -> :ok
    end
  end

  # What a crash of one of them would change.
  def alive(servers) do
    names = for {server, pool} <- servers, n <- 1..pool, do: group(server, n)
    for name <- [Phoenix.PubSub | names], do: Process.whereis(name)
  end

  defp group(server, 1), do: Module.concat(server, "Adapter")
  defp group(server, n), do: :"#{Module.concat(server, "Adapter")}_#{n}"

  # How many members of ehc's there are in each group of a server.
  def members(server, pool) do
    for n <- 1..pool do
      pids = :pg.get_members(Phoenix.PubSub, group(server, n))
      length(for pid <- pids, node(pid) != node(), do: pid)
    end
  end

  # Subscribes a process that keeps what it gets.
  def listen(name, server, topics) do
    parent = self()

    pid =
      spawn(fn ->
        Process.register(self(), name)
        for topic <- topics, do: :ok = Phoenix.PubSub.subscribe(server, topic)
        send(parent, {self(), :ready})
        keep([])
      end)

    receive do: ({^pid, :ready} -> :ok)
  end

  defp keep(got) do
    receive do
      {:take, n, from} when length(got) >= n ->
        send(from, {:took, Enum.reverse(got)})
        keep([])

      message when not is_tuple(message) or elem(message, 0) != :take ->
        keep([message | got])
    end
  end

  # What a listener has got, once it is n messages. It waits for those.
  def take(name, n) do
    send(name, {:take, n, self()})
    receive do: ({:took, got} -> got)
  end

  # Broadcasts {process, 1}, {process, 2} … from so many processes at once.
  def flood(server, topic, processes, each) do
    tasks =
      for p <- 1..processes do
        Task.async(fn -> for i <- 1..each, do: :ok = Phoenix.PubSub.broadcast(server, topic, {p, i}) end)
      end

    Task.await_many(tasks, :infinity)
    :ok
  end
end
