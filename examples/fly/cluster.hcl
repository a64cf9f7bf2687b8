# The cluster on Fly: ehc joins two apps of its own organisation. The reference
# of every option is cluster.hcl at the root of the repository.

node {
  # Fly gives both to every machine. The address may change when the machine is
  # started again, and the name with it.
  name   = "ehc-${env("FLY_MACHINE_ID")}@${env("FLY_PRIVATE_IP")}"
  cookie = env("RELEASE_COOKIE") # fly secrets set RELEASE_COOKIE=…
}

peer "phoenix" {
  # The started machines, by phoenix-aayushsahu.internal; and, for ehc status,
  # which of the app's machines are stopped.
  queries = ["fly:phoenix-aayushsahu"]

  # Fly's template names nodes APP-IMAGE@ADDRESS, anew with each deploy.
  match = "phoenix-aayushsahu-*"

  # This app gets the events of the outbox.
  deliver {
    handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"
  }
}

peer "event_horizon" {
  queries = ["fly:aayush-event-horizon"]
  match   = "aayush-event-horizon-*"
}

# What fly.toml has checked and scraped. Every app of the organisation may read it;
# it holds neither payloads nor secrets.
telemetry {
  listen = "[::]:9568"
}

log {
  format = "json"
}
