# ehc beside apps on machines of one's own: install as /etc/ehc/cluster.hcl. The
# reference of every option is cluster.hcl at the root of the repository.

node {
  name   = "ehc@${env("EHC_HOST")}"
  cookie = env("RELEASE_COOKIE")
}

peer "phoenix" {
  # Two machines with a DNS name, and one without.
  queries = ["phoenix.example.net", "static:phoenix@10.0.0.9"]
  match   = "phoenix"
  deliver {
    handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"
  }
}

# /metrics, /healthz and /readyz.
telemetry {
  listen = "[::]:9568"
}
