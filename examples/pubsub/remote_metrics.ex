# The plan's Remote.Metrics for an Elixir app, on top of ehc. Copy this file into lib/, put the two names that are marked
# into your config, and call it from anywhere. It needs no process and no package; the last two functions need the
# Phoenix.PubSub that your app has.
defmodule EventHorizon.Remote.Metrics do
  @moduledoc """
  Metrics of another app, through ehc.

  Writes go to ehc's outbox first: what is answered is on its disk. `:ok` says that the other app has it already,
  `{:buffered, id}` that it gets it as soon as it can be reached. Reads are asked of the other app each time.

      config :event_horizon,
        ehc_node: :"ehc@10.0.0.5",                  # or the variable EHC_NODE
        pubsub: EventHorizon.PubSub                 # for subscribe_to_metrics/1

  When ehc itself cannot be reached everything is `{:error, :disconnected}`, and nothing is kept. An event may be there
  all the same if the connection is lost before the answer: who has to know gives an `:id` and repeats the call with
  it, for an event of an id counts once.
  """

  # GenServer.call's own; ehc answers within four seconds.
  @timeout 5_000

  @type error ::
          {:error, :disconnected | :timeout | {:full | :bad_request | :unavailable | :not_allowed, String.t()}}
          | {:error, {:dead | :dropped, String.t()}}
          | {:error, {:remote, :error | :exit | :throw | :killed | :not_started | :answer, term()}}

  @doc "Adds to the visits of a page."
  @spec increment_visit(String.t(), integer(), keyword()) :: :ok | {:buffered, String.t()} | error
  def increment_visit(page_id, delta \\ 1, opts \\ []), do: write({:increment_visit, page_id, delta, opts[:id]})

  @doc "Adds to the likes of a post; the delta may be negative."
  @spec update_likes(String.t(), integer(), keyword()) :: :ok | {:buffered, String.t()} | error
  def update_likes(post_id, delta, opts \\ []), do: write({:update_likes, post_id, delta, opts[:id]})

  @doc "Adds a comment, which is a map of text, numbers, lists, times and maps of such. Its keys arrive as strings."
  @spec add_comment(String.t(), map(), keyword()) :: :ok | {:buffered, String.t()} | error
  def add_comment(post_id, comment, opts \\ []), do: write({:add_comment, post_id, comment, opts[:id]})

  @doc "Sends an event of any type, which the other app's handler knows. The payload's own keys arrive as atoms."
  @spec emit(atom(), map(), keyword()) :: :ok | {:buffered, String.t()} | error
  def emit(type, payload, opts \\ []), do: write({:emit, type, payload, opts[:id]})

  @doc "The value of a counter now, such as \"visits:/blog\"."
  @spec get_realtime_count(String.t()) :: {:ok, integer()} | error
  def get_realtime_count(metric_key), do: call({:get_realtime_count, metric_key})

  @doc "Whether ehc is connected to a node of this app, such as \"phoenix\"."
  @spec connected?(String.t()) :: boolean()
  def connected?(app), do: match?({:ok, [_ | _]}, call({:connected_nodes, app}))

  @doc "Subscribes the caller to what is broadcast of a metric, such as \"visits:/blog\"."
  @spec subscribe_to_metrics(String.t()) :: :ok | {:error, term()}
  def subscribe_to_metrics(topic), do: Phoenix.PubSub.subscribe(pubsub(), "metrics:" <> topic)

  @doc "Ends the caller's subscription."
  @spec unsubscribe_from_metrics(String.t()) :: :ok
  def unsubscribe_from_metrics(topic), do: Phoenix.PubSub.unsubscribe(pubsub(), "metrics:" <> topic)

  defp write(request) do
    case call(request) do
      {:ok, :delivered, _id} -> :ok
      {:ok, :buffered, id} -> {:buffered, id}
      {:error, _} = error -> error
    end
  end

  defp call(request) do
    GenServer.call({:ehc, ehc_node()}, request, @timeout)
  catch
    :exit, {:timeout, _} -> {:error, :timeout}
    :exit, _ -> {:error, :disconnected}
  end

  defp ehc_node do
    with nil <- Application.get_env(:event_horizon, :ehc_node), do: "EHC_NODE" |> System.fetch_env!() |> String.to_atom()
  end

  defp pubsub, do: Application.get_env(:event_horizon, :pubsub, EventHorizon.PubSub)
end
