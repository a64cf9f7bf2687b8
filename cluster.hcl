# cluster.hcl: what the cluster should look like. This is the reference too: it
# has every block and every option. A line that begins with "# option =" shows
# the default of that option; to change it, remove the # and the value.
#
#   ehc validate cluster.hcl     is it right?
#   ehc plan -config cluster.hcl what would change?
#   ehc fmt cluster.hcl          the canonical layout
#
# Durations are texts with a unit: "500ms", "5s", "2m", "1h". Sizes are texts
# with a unit: "64MiB", "1GB". Shares go from 0 to 1. Setting an option to null
# is the same as leaving it out. What ehc does not know is an error.
#
# Values may call functions:
#
#   env("NAME")             an environment variable; an error if it is not set
#   env("NAME", "default")  the default if it is not set (set to nothing is set)
#   file("path")            a file's text without the newlines at its end; the
#                           path is relative to the folder of this file; 64 KiB
#                           Only cookies and tokens may be made of a variable or a
#                           file with cookie, secret, password or token in its
#                           name, or of which any of them is made.
#   coalesce(a, b, …)       the first text that is neither null nor empty
#   concat(list, list, …)   one list of several
#   format("%s-%03d", a, b) text from parts
#   join(", ", list)        one text of a list
#   lower(text) upper(text) in small letters, in capitals
#   replace(text, old, new) with each old replaced
#   split(",", text)        a list of the parts
#   substr(text, from, n)   n characters; -1: all that follow
#   trimspace(text)         without white space around it
#   trimprefix(text, prefix) trimsuffix(text, suffix)

# Values that are used more than once. Elsewhere: local.domain
locals {
  domain = "internal"
}

# A value from outside. Elsewhere: var.grace. The environment variable
# EHC_VAR_grace comes before the default; without either it is an error. It has
# the default's type, which is a constant.
variable "grace" {
  default = "30s"
}

# Who ehc is. This block is fixed at start: after a change to it, "ehc plan"
# says "restart required".
node {
  # name@host, required. The host is what peers reach ehc by. Before the @ stand
  # letters, digits, _ and -. Each machine needs a name of its own.
  name = "ehc-${env("FLY_MACHINE_ID", "local")}@${env("FLY_PRIVATE_IP", "127.0.0.1")}"

  # Required: one cookie, or [new, old] while rotating. ehc offers the first and
  # accepts both. It belongs in the environment, or in a file:
  # file("/run/secrets/cookie"). Written here it works, and you are warned.
  cookie = env("RELEASE_COOKIE", "local-demo")

  # The address to accept peers at, without a port: "0.0.0.0", "::", "127.0.0.1".
  # Left out: the host in the name.
  # listen = null

  # The port to accept peers at. 0: any free one, which EPMD tells them.
  # port = 0

  # The port of the EPMD to register with, and to ask at the peers' addresses.
  # epmd_port = 4369

  # A peer that is silent for this long is dead: OTP's net_ticktime, and it
  # should be what the peers have. From 4s to 1h.
  # tick = "60s"

  # ehc is a hidden node: on a visible node that is no Erlang VM, global:sync/0
  # hangs on every peer. Nothing else is allowed yet.
  # visible = false

  # TLS in both directions, for peers that run with -proto_dist inet_tls or
  # inet6_tls; plain peers are then refused. All three options, or none: plain
  # TCP. They are absolute paths of PEM files on the machine where ehc runs. It
  # reads them at each handshake, so that new files need no restart.
  tls {
    # ehc's certificate, and any intermediate ones after it. It must be good for
    # servers and for clients, and name the host part of ehc's name; for OTP 25 an
    # address stands there as a DNS name too (DNS:10.0.0.1).
    # cert_file = null

    # Its key.
    # key_file = null

    # The CAs: a peer whose certificate none of them signed is refused, whether
    # it dials or is dialled, and so is one dialled whose certificate does not
    # name the host part of its name.
    # ca_file = null
  }
}

# Where and how often to look for nodes.
dns {
  # Up to 8 servers, asked in this order: "10.0.0.2", "10.0.0.2:5353",
  # "fdaa::3", "[fdaa::3]:53". The port is 53 by default. None: the one that the
  # environment variable FLY_NAMESERVER names, or else the system's, which on a
  # Fly machine is Fly's.
  # servers = []

  # How long after the start of one look the next one starts. From 100ms to 1h.
  # interval = "5s"

  # How long one question may take, over all servers. From 50ms to 1m. A question
  # without an answer in time changes nothing.
  # timeout = "3s"
}

# One app whose nodes are peers. There may be any number, up to 256, each with a
# name of its own: a letter, then letters, digits, _ and -.
peer "phoenix" {
  # Required, up to 64. What any of them lists is wanted:
  #   "phoenix.internal"        the addresses (AAAA and A) of a name
  #   "srv:_dist._tcp.phoenix"  the targets of SRV records, and their addresses
  #   "fly:phoenix"             the same as "phoenix.internal", of Fly's resolver,
  #                             which is asked for the app's machines, too: ehc
  #                             status then tells a machine that is stopped from
  #                             one that is gone (condition Running)
  #   "static:phoenix@10.0.0.7" this node; nobody is asked
  queries = ["fly:phoenix-aayushsahu"]

  # Which of the names that EPMD lists at an address are nodes of this app: * is
  # any characters, ? is one. It is compared with the part before the @.
  # Default: "*", every name.
  match = "phoenix-*"

  # The nodes' cookie, or [new, old], if it is not that of the node block. A change
  # counts from the next handshake on: links that are up stay, nothing restarts.
  # cookie = null

  # This app gets the events of the outbox. Without this block it gets none.
  deliver {
    # What is called on a node of the app with each event. In Elixir
    # Module.function/1, in Erlang my_mod.handle/1.
    # handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"

    # "batch": several events in one call of batch_handler, if the node exports
    # that; else, and with "each", one event in each call of handler. In both, an
    # event is sent only after the node has answered for those before it.
    # mode = "batch"

    # What is called with a list of events, oldest first. It answers how far it
    # got: :ok, all of them; {:ok, n}, the first n; {:error, n, reason}, the first
    # n, and the next was refused. Default: the handler's name with an s.
    # batch_handler = "EventHorizon.Remote.Handler.handle_buffered_events/1"

    # Events in one call, at most. From 1 to 1000. Fewer while the node is slow.
    # batch = 1000

    # How long one call may take. From 100ms to 5m. After that its outcome is
    # unknown, and its events stay in the queue under the same ids.
    # timeout = "5s"

    # How often the handler may refuse an event, by {:error, reason} or by raising,
    # before it goes to the dead letters and the queue moves on. 0: the queue waits
    # for ever. {:error, :unknown_event_type}, and a function that the handler calls
    # and that is not there, send it there at once. What is not the event's fault
    # never does: no connection, no answer in time, a handler that is not there, a
    # receiver that is full.
    # tries = 20
  }

  # When a node that is listed no longer is disconnected.
  prune {
    # How long it keeps its connection after it was last listed. From 0s to 24h.
    # Default: "30s".
    after = var.grace

    # If more than this share of the app's live nodes would go, none goes until
    # a person approves. 1: never hold.
    # max_share = 0.5

    # At most this share of them (or one node) goes at once, and the next only
    # after the time above.
    # max_at_once = 0.34

    # Whether an answer without any node prunes like any other. By default it is
    # taken for a mistake, and holds what is connected.
    # allow_empty = false
  }
}

peer "event_horizon" {
  queries = ["aayush-event-horizon.${local.domain}"]

  # Instead of match: the node's name is made of the address, ${ip}, or of the
  # name that was looked up, ${host} (for SRV, the target), and EPMD is not asked
  # for names. Not together with match. Left out: match is used.
  # node = null

  # The nodes' distribution port, if they run without EPMD (-erl_epmd_port). They
  # dial that port at every other node: set port in the node block to the same.
  # 0: EPMD is asked.
  # port = 0
}

# Bounds of what is kept of each app. When its queue is full, a new event is
# refused and the sender told so; nothing is dropped.
outbox {
  # Events that wait, 1 at least.
  # max_events = 1000000

  # Bytes of the payloads that wait: a size, or a number of bytes. From 64KiB to
  # 1TiB. The dead letters may have as many again.
  # max_bytes = "256MiB"

  # An event that has waited for longer goes to the dead letters. Up to 8760h.
  # "0s": it waits for ever. While there is no room for dead letters, it is
  # delivered late as soon as a node is connected.
  # max_age = "0s"

  # Dead letters: events that could not be delivered, kept until someone retries
  # or drops them ("ehc outbox"). When there are so many, the queue waits instead
  # of adding one. From 1 to 1000000.
  # max_dead = 10000

  # Ids of delivered events that are remembered: one that is enqueued again is not
  # delivered again. 0 to 10000000.
  # remember = 100000
}

# With this block ehc is a remote app, too: other nodes deliver their events to it,
# by erpc. It counts each event once, however often it comes, and answers the
# counts; "ehc count visits:/blog" shows one. Without the block it takes none.
# The functions are fixed at start.
receive {
  # What is called with an event, a map: event_id, type, payload. It answers :ok,
  # or {:error, reason}.
  # handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"

  # What is called with a list of events. It answers {:ok, n}: the first n are
  # handled, and the rest may be sent again; or {:error, n, reason}: the first n
  # are, and the next one cannot be.
  # Default: the handler with an s after its name.
  # batch_handler = "EventHorizon.Remote.Handler.handle_buffered_events/1"

  # What is called with a counter's key, such as "visits:/blog", and answers its
  # value. Up to 8; [] for none.
  # counts = ["Remote.Metrics.get_count/1", "Remote.Metrics.get_realtime_count/1"]

  # For how long the id of an event is remembered. From 1m to 8760h. An event
  # that comes again after that is counted again, unless its sender numbers its
  # events.
  # remember_for = "168h"

  # How many ids are remembered, however young. From 1000 to 100000000.
  # remember_max = 1000000
}

# A Phoenix.PubSub server of the apps to take part in: "ehc watch metrics:visits" and
# GET /v1/topics show what is broadcast there, "ehc broadcast" sends. There may be
# up to 16 such blocks, each with the name that stands in the apps' children:
# {Phoenix.PubSub, name: EventHorizon.PubSub}. A change needs no restart. The nodes
# send ehc every broadcast of the server, also those of topics that are not kept.
pubsub "EventHorizon.PubSub" {
  # Required, up to 64: messages of these topics are kept for a while, for those who
  # watch them or come back. * is any characters. Other topics are dropped. With a
  # receive block, counters that change are broadcast to "metrics:visits:/blog" and
  # the like, if a pattern here has that topic.
  topics = ["metrics:*"]

  # The pool_size that the server should have on every node, up to 256: one that has
  # another is told of in "ehc status" (PubSubPoolDiffers). 0: whatever most of them
  # have.
  # pool_size = 0

  # Whether a message of these topics that is broadcast on one app is passed on to
  # the nodes of the others: for apps that are not connected to each other. Where
  # they are, and where several controllers do it, it comes more than once.
  # relay = false
}

# Which functions of the apps people may have called through ehc: "ehc call",
# "ehc count", POST /v1/call, and what asks ehc from Elixir. Without the block there
# is none. What ehc itself calls, such as the handlers of deliver, needs no entry.
rpc {
  # Up to 256, each with the number of its arguments: "Remote.Metrics.get_count/1"
  # in Elixir, "my_mod.add/2" in Erlang. What such a function can do, whoever may
  # use the API can do. Left out: none.
  allow = ["Remote.Metrics.get_count/1"]

  # How long one call may take that does not say so itself. From 100ms to 5m.
  # timeout = "5s"

  # What answers "ehc count visits:/blog" and get_realtime_count on an app: it is
  # called with the counter's key and answers an integer, or {:ok, integer}. It has
  # to stand in allow.
  # count = "Remote.Metrics.get_count/1"
}

# What machines are told about ehc: metrics for Prometheus, whether it is well, and
# traces. GET /metrics, /healthz and /readyz are answered on the API too.
telemetry {
  # An address and port to answer those three at, and nothing else, to whoever
  # asks: "[::]:9568" for every address, "127.0.0.1:9568". Fixed at start. Left out:
  # only the API answers them.
  # listen = null

  # A receiver of OpenTelemetry's OTLP over HTTP, such as "http://127.0.0.1:4318".
  # Fixed at start. Left out: the variable OTEL_EXPORTER_OTLP_ENDPOINT says where;
  # without it, there are no traces.
  # traces = null
}

# The API is always served on a unix socket that only its owner may open. With this
# block also over TCP, to whoever shows the token. Fixed at start.
api {
  # An address and a port: "10.0.0.7:8400", "[fdaa:0:1::2]:8400", "[::]:8400".
  # Left out: over TCP only if "ehc run -api http://HOST:PORT" says so.
  # listen = null

  # The token, of 16 to 512 characters: "ehc cookie" makes one. It belongs in the
  # environment or in a file: file("/run/secrets/ehc-token"). Left out: that of
  # EHC_API_TOKEN, or of the file that EHC_API_TOKEN_FILE names. Without any, ehc
  # does not serve TCP.
  # token = null

  # TLS: the certificate with any intermediate ones after it, and its key, absolute
  # paths of PEM files. They are read at each handshake. Neither: plain HTTP, for a
  # private network.
  # cert_file = null
  # key_file = null
}

# How ehc logs. A change counts at once.
log {
  # The least that is logged: "trace", "debug", "info", "warn" or "error".
  # level = "info"

  # "text", or "json": one object a line.
  # format = "text"
}
