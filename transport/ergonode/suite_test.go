package ergonode_test

import (
	"sync/atomic"
	"testing"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

func TestSuiteAgainstErlang(t *testing.T) {
	epmd := beam.EPMD(t)
	code := beam.CompileErlang(t, "ehc_suite", transporttest.Functions)
	var next atomic.Uint32
	transporttest.Suite(t, transporttest.Rig{
		Cookie: cookie,
		Dialer: func(t *testing.T, o transport.Observer) transport.Dialer {
			return start(t, epmd, func(opts *ergonode.Options) { opts.Observer = o })
		},
		Peer: func(t *testing.T) transporttest.Peer {
			name := string('a'+rune(next.Add(1))) + "@127.0.0.1"
			p := beam.Start(t, beam.Options{Name: name, Cookie: cookie.Reveal(), EPMDPort: epmd, Paths: []string{code}})
			return transporttest.Peer{Target: transport.Target{Node: name}, Kill: p.Kill, Restart: p.Restart}
		},
	})
}
