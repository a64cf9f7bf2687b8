package ergonode

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/etf"
	"ehc/transport/transporttest/corpus"
)

// signalMark is how every signal begins that has no header.
const signalMark = "p\x83h"

// FuzzSignals has a peer say one signal after the other to a link whose reader and
// writer the target is. What has to be answered is, with nothing that a peer closes
// the connection for, and nobody else hears of it.
func FuzzSignals(f *testing.F) {
	corpus.Hurry(f)
	var gate chan struct{} // closed once handlers may return
	n := played(f, func(ctx context.Context, _ string, args []transport.Term) (transport.Term, error) {
		select {
		case <-gate:
		case <-ctx.Done():
		}
		if args[0] == etf.Term(etf.Atom("fail")) {
			return nil, &transport.RaisedError{Class: "throw", Reason: args[0]}
		}
		return args[0], nil
	})
	other := play(n, "b@127.0.0.1", 7)
	if err := n.seat.adopt(other.link); err != nil { // ergo could send to it
		f.Fatal(err)
	}
	other.said(f)
	f.Add(uint32(7), answers(n))
	f.Fuzz(func(t *testing.T, creation uint32, says []byte) {
		n.minted.Store(0) // references and pids are what they were when a seed was captured
		n.pids.Store(0)
		gate = make(chan struct{})
		l := play(n, "a@127.0.0.1", creation)
		l.said(t)
		var asked []dist.Control
		called := false
		for _, says := range bytes.Split(says, []byte(signalMark))[1:] {
			c, err := dist.Parse(slices.Concat([]byte(signalMark), says), l.decoder)
			if err != nil {
				continue
			}
			asked = append(asked, c)
			l.dispatch(c)
			called = called || l.callers() > 0
		}
		if heard := other.said(t); len(heard) > 0 {
			t.Errorf("another peer is sent %+v", heard)
		}
		close(gate)
		if called {
			other.call(t) // ergo has then started the handlers of all before
		}
		n.running.Wait()
		other.said(t)
		told := l.said(t)
		for i, c := range asked {
			if !l.satisfied(c, asked[i+1:], told) {
				t.Errorf("%+v is answered with %+v", c, told)
			}
		}
		if len(l.spawned)+len(l.inbound)+len(l.waiting)+l.load > 0 {
			t.Errorf("nothing runs, and %d processes, %d calls, %d callers and %d bytes are left", len(l.spawned), len(l.inbound), len(l.waiting), l.load)
		}
		l.hangUp(t)
	})
}

// answers are a message by way of us to another node, and the results of our calls.
func answers(n *Node) []byte {
	them := etf.Pid{Node: "a@127.0.0.1", ID: 1, Creation: 7}
	reply := etf.AppendAtom(etf.AppendRef(etf.AppendTupleHeader(nil, 2), n.ref(refAsk, 5)), "yes")
	return slices.Concat(
		append(dist.AppendSend(nil, n.servers[0].self, etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 7}), "w\x02hi"...)[4:],
		append(dist.AppendDown(nil, them, n.pid(callerID), n.ref(refCall, 3)), "w\x04gone"...)[4:],
		append(dist.AppendDown(nil, them, n.pid(callerID), n.ref(refAsk, 4)), "w\x04gone"...)[4:],
		append(dist.AppendSend(nil, them, n.pid(callerID)), reply...)[4:])
}

// satisfied says whether a signal has got what its sender waits for, or has it coming,
// given what was said after it and what was answered to all.
func (l *playedLink) satisfied(c dist.Control, later, told []dist.Control) bool {
	heard := func(told []dist.Control, op dist.Op) int {
		return slices.IndexFunc(told, func(a dist.Control) bool { return a.Op == op && a.To == c.From && a.Ref == c.Ref && a.ID == c.ID })
	}
	takenBack := slices.ContainsFunc(later, func(d dist.Control) bool {
		if c.Op == dist.OpLink {
			return (d.Op == dist.OpUnlinkID || d.Op == dist.OpExit) && d.From == c.From && d.To == c.To
		}
		return d.Op == dist.OpDemonitor && d.Ref == c.Ref
	})
	answerable := l.node.named(c.To) && c.From.Creation == l.with.Creation // a peer would close the connection for it
	switch c.Op {
	case dist.OpMonitor:
		_, kept := l.watches[c.Ref]
		return kept || takenBack || heard(told, dist.OpDown) >= 0
	case dist.OpLink:
		_, kept := l.bonds[bond{c.From, c.To}]
		return kept || takenBack || !answerable || heard(told, dist.OpExit) >= 0
	case dist.OpUnlinkID:
		return !answerable || heard(told, dist.OpUnlinkIDAck) >= 0
	case dist.OpSpawnRequest:
		if string(c.Ref.Node) != l.with.Name || c.Ref.Creation != l.with.Creation {
			return true
		}
		reply := heard(told, dist.OpSpawnReply)
		return reply >= 0 && (!c.Spawn.Monitor || takenBack || told[reply].Named || heard(told[reply:], dist.OpDown) >= 0)
	}
	return true
}
