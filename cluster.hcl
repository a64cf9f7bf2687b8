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
}

# Where and how often to look for nodes.
dns {
  # Up to 8 servers, asked in this order: "10.0.0.2", "10.0.0.2:5353",
  # "fdaa::3", "[fdaa::3]:53". The port is 53 by default. None: the system's,
  # which on a Fly machine is Fly's.
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
  #   "static:phoenix@10.0.0.7" this node; nobody is asked
  queries = ["phoenix-aayushsahu.${local.domain}"]

  # Which of the names that EPMD lists at an address are nodes of this app: * is
  # any characters, ? is one. It is compared with the part before the @.
  # Default: "*", every name.
  match = "phoenix-*"

  # The nodes' cookie, or [new, old], if it is not that of the node block.
  # cookie = null

  # This app gets the events of the outbox. Without this block it gets none.
  deliver {
    # What is called on a node of the app with each event. In Elixir
    # Module.function/1, in Erlang my_mod.handle/1.
    # handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"

    # How long one event may take. From 100ms to 5m. After that its outcome is
    # unknown, and it stays in the queue under the same id.
    # timeout = "5s"
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

  # The nodes' distribution port, if they run without EPMD. 0: EPMD is asked.
  # port = 0
}

# Bounds of each app's queue. When it is full, a new event is refused and the
# sender told so; nothing is dropped.
outbox {
  # Events, 1 at least.
  # max_events = 1000000

  # Bytes of payload: a size, or a number of bytes. From 64KiB to 1TiB.
  # max_bytes = "256MiB"
}

# How ehc logs.
log {
  # The least that is logged: "trace", "debug", "info", "warn" or "error".
  # level = "info"

  # "text", or "json": one object a line.
  # format = "text"
}
