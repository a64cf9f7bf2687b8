package spec

import "time"

// span is a default with the bounds of what may be written instead. Both
// bounds are allowed.
type span[T any] struct{ value, min, max T }

// Every default and bound of the language. The reference cluster.hcl at the
// root of the repository says the same to users; a test compares them.
var (
	nodePort     = span[int64]{0, 0, 65535} // 0: any free port
	nodeEPMDPort = span[int64]{4369, 1, 65535}
	// OTP's own default, and the least with which its quarter ticks are a
	// second apart.
	nodeTick = span[time.Duration]{60 * time.Second, 4 * time.Second, time.Hour}

	dnsInterval = span[time.Duration]{5 * time.Second, 100 * time.Millisecond, time.Hour}
	dnsTimeout  = span[time.Duration]{3 * time.Second, 50 * time.Millisecond, time.Minute}

	peerPort = span[int64]{0, 0, 65535} // 0: ask EPMD

	pruneAfter     = span[time.Duration]{30 * time.Second, 0, 24 * time.Hour}
	pruneMaxShare  = span[float64]{0.5, 0, 1}
	pruneMaxAtOnce = span[float64]{0.34, 0, 1}

	deliverTimeout  = span[time.Duration]{5 * time.Second, 100 * time.Millisecond, 5 * time.Minute}
	deliverMaxBatch = span[int64]{1000, 1, 1000}    // an outbox.MaxCall
	deliverTries    = span[int64]{20, 0, 1_000_000} // 0: for ever

	outboxMaxEvents = span[int64]{1_000_000, 1, 1_000_000_000}
	outboxMaxBytes  = span[int64]{256 << 20, 64 << 10, 1 << 40}
	outboxMaxAge    = span[time.Duration]{0, 0, 8760 * time.Hour} // 0: none
	outboxMaxDead   = span[int64]{10_000, 1, 1_000_000}
	outboxRemember  = span[int64]{100_000, 0, 10_000_000}

	pubsubPool = span[int64]{0, 0, 256} // 0: what the nodes show; a pubsub.MaxPool

	rpcTimeout = span[time.Duration]{5 * time.Second, 100 * time.Millisecond, 5 * time.Minute}

	receiveRememberFor = span[time.Duration]{168 * time.Hour, time.Minute, 8760 * time.Hour}
	receiveRememberMax = span[int64]{1_000_000, 1_000, 100_000_000}
)

const (
	peerMatch       = "*"
	pruneAllowEmpty = false
	pubsubRelay     = false
	deliverHandler  = "EventHorizon.Remote.Handler.handle_buffered_event/1"
	deliverMode     = "batch"
	rpcCount        = "Remote.Metrics.get_count/1"
	logLevel        = "info"
	logFormat       = "text"
	dnsPort         = 53
)

// Limits of the file itself.
const (
	maxSource   = 128 << 10 // bytes of cluster.hcl
	maxFile     = 64 << 10  // bytes that file may read
	maxValue    = 16 << 10  // bytes or elements in the value of one expression
	maxNumber   = 1e18      // the largest number an expression may give
	maxDepth    = 64        // levels of brackets
	maxDigits   = 64        // characters of a number
	maxExponent = 1         // digit of its exponent
	maxReports  = 64        // diagnostics
	maxServers  = 8
	maxApps     = 256
	maxQueries  = 64 // of one app
	maxCookies  = 2
	maxPubSubs  = 16
	maxTopics   = 64  // patterns of one pubsub block
	maxTopic    = 255 // bytes of one
	maxCounts   = 8   // functions that answer counts
	maxAllowed  = 256 // functions that may be called
	maxArity    = 255 // of a function: Erlang's own limit
	maxLocals   = 256
	minToken    = 16 // characters of an API token
	maxToken    = 512
	maxAtom     = 255 // characters in an Erlang atom, hence in names and cookies
	maxHost     = 253 // characters in a DNS name
	maxLabel    = 63  // characters between two dots of one, and in an app's name
)
