# What ehc is told in this example. Each app is one node with a fixed name here; on a private network a query is a DNS
# name, such as "phoenix-aayushsahu.internal".
node {
  name      = "ehc@127.0.0.1"
  cookie    = env("COOKIE")
  epmd_port = env("EPMD_PORT")
}

dns {
  interval = "500ms"
}

peer "phoenix" {
  queries = ["static:phoenix@127.0.0.1"]
  deliver {
    handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"
  }
}

peer "event_horizon" {
  queries = ["static:event_horizon@127.0.0.1"]
}

# Broadcasts of one app's Phoenix.PubSub reach the other's, although the two are not connected.
pubsub "EventHorizon.PubSub" {
  topics = ["metrics:*"]
  relay  = true
}

rpc {
  allow = ["Remote.Metrics.get_count/1"]
}
