# event_horizon: the app that counts. All it has for that is ../pubsub/remote_metrics.ex, and the Phoenix.PubSub that any
# Phoenix app has. It tells the story, and ends with an error where something is not as it should be.
Code.require_file("pubsub.exs", __DIR__)
Code.require_file("../pubsub/remote_metrics.ex", __DIR__)

defmodule Story do
  alias EventHorizon.Remote.Metrics

  def tell do
    Application.put_env(:event_horizon, :ehc_node, :"ehc@127.0.0.1")
    {:ok, _} = Supervisor.start_link([{Phoenix.PubSub, name: EventHorizon.PubSub}], strategy: :one_for_one)
    say("Two apps on this machine, and ehc between them:")
    say("  #{node()}   counts visits, likes and comments")
    say("  phoenix@127.0.0.1         has the counters")
    say("  ehc@127.0.0.1             knows both; they do not know each other")

    say("\n1. Both are up: what is counted arrives at once.")
    phoenix = start_phoenix()
    until("the apps are connected", fn -> Metrics.connected?("phoenix") end)
    run(~s|Metrics.increment_visit("/blog", 2)|, :ok)
    run(~s|Metrics.update_likes("hello", 1)|, :ok)
    run(~s|Metrics.add_comment("hello", %{author: "Ada", body: "Nice."})|, :ok)
    run(~s|Metrics.get_realtime_count("visits:/blog")|, {:ok, 2})
    run(~s|Metrics.get_realtime_count("likes:hello")|, {:ok, 1})
    run(~s|Metrics.get_realtime_count("comments:hello")|, {:ok, 1})

    say("\n2. phoenix is killed: writes are buffered, reads are errors.")
    kill(phoenix)
    until("the loss is seen", fn -> not Metrics.connected?("phoenix") end)
    {:buffered, _} = run(~s|Metrics.increment_visit("/blog", 40)|, :buffered)
    {:buffered, _} = run(~s|Metrics.update_likes("hello", -1)|, :buffered)
    run(~s|Metrics.increment_visit("/blog", 100, id: "mine")|, {:buffered, "mine"})
    run(~s|Metrics.increment_visit("/blog", 100, id: "mine")|, {:buffered, "mine"})
    run(~s|Metrics.get_realtime_count("visits:/blog")|, {:error, :disconnected})
    run(~s|elem(GenServer.call({:ehc, :"ehc@127.0.0.1"}, :status), 1).apps["phoenix"].pending|, 3)

    say("\n3. phoenix is back: what waited is delivered in order, each event once.")
    phoenix = start_phoenix()
    until("what waited is delivered", fn -> Metrics.get_realtime_count("visits:/blog") == {:ok, 142} end)
    run(~s|Metrics.get_realtime_count("visits:/blog")|, {:ok, 142})
    run(~s|Metrics.get_realtime_count("likes:hello")|, {:ok, 0})
    run(~s|Metrics.increment_visit("/blog", 100, id: "mine")|, :ok)
    run(~s|Metrics.get_realtime_count("visits:/blog")|, {:ok, 142})

    say("\n4. A live topic: what phoenix broadcasts arrives here, although the two are not connected.")
    run("Node.list(:connected)", [:"ehc@127.0.0.1"])
    run(~s|Metrics.subscribe_to_metrics("visits:/live")|, :ok)
    until("topics are passed on", fn -> live?() end)
    run(~s|Metrics.increment_visit("/live", 7, id: "seven")|, :ok)
    run("receive do {:metric_updated, %{key: key, count: 1007}} -> key after 60_000 -> :nothing end", "visits:/live")
    run(~s|Metrics.unsubscribe_from_metrics("visits:/live")|, :ok)

    say("\nEvery count is as it should be.")
    stop(phoenix)
  end

  # PubSub keeps nothing for who comes late: this asks until a first message has come.
  defp live? do
    Metrics.increment_visit("/live", 1000, id: "probe")
    Metrics.increment_visit("/live", 0)

    receive do
      {:metric_updated, %{key: "visits:/live", count: 1000}} -> true
    after
      200 -> false
    end
  end

  # Shows a line of code and what it gives, which must be this.
  defp run(code, want) do
    say("  iex> #{code}")
    {got, _} = Code.eval_string("alias EventHorizon.Remote.Metrics\n" <> code)
    say("  #{inspect(got)}")

    case {want, got} do
      {same, same} -> got
      {:buffered, {:buffered, _}} -> got
      {:ok, {:buffered, id}} -> until("#{id} is delivered", fn -> Metrics.update_likes("", 0, id: id) == :ok end)
      _ -> fail("that should be #{inspect(want)}")
    end
  end

  # phoenix is an operating system process of its own, which ends with its standard input.
  defp start_phoenix do
    args = ["--name", "phoenix@127.0.0.1", "--cookie", to_string(Node.get_cookie()), "phoenix.exs"]
    options = [:binary, :exit_status, :use_stdio, line: 4096, args: args, cd: __DIR__]
    port = Port.open({:spawn_executable, System.find_executable("elixir")}, options)

    receive do
      {^port, {:data, {_, "ready " <> pid}}} -> {port, pid}
      {^port, {:exit_status, status}} -> fail("phoenix has ended with #{status}")
    after
      60_000 -> fail("phoenix is not up")
    end
  end

  defp kill({port, pid}) do
    {_, 0} = System.cmd("kill", ["-9", pid])
    receive do: ({^port, {:exit_status, _}} -> :ok)
  end

  defp stop({port, _}), do: Port.close(port)

  # Asks again and again, for a minute at most.
  defp until(what, done, tries \\ 600) do
    cond do
      done.() ->
        :ok

      tries == 0 ->
        fail("waited in vain until #{what}")

      true ->
        Process.sleep(100)
        until(what, done, tries - 1)
    end
  end

  defp say(text), do: IO.puts(text)

  defp fail(text) do
    IO.puts(:stderr, text)
    System.halt(1)
  end
end

Story.tell()
