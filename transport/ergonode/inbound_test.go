package ergonode

import (
	"net"
	"testing"

	"ehc/transport/dist"
	"ehc/transport/etf"
)

// A peer that sends a server what is neither a call nor a cast must not fill its mailbox,
// where the calls of all peers wait.
func TestWhatAServerHasNoUseForTakesNoPlaceInItsMailbox(t *testing.T) {
	n := &Node{o: Options{Limits: Limits{Queue: 1 << 20}}, self: dist.Node{Name: "ehc@127.0.0.1", Creation: 1}} // without a seat, where mailboxes are
	n.servers = []*server{{node: n, name: "s"}}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	l := newLink(&peer{node: n}, ours, dist.Node{Name: "a@127.0.0.1", Creation: 77}, true)
	for _, stray := range []etf.Term{1, etf.Tuple{etf.Atom("EXIT"), 1, 2}, etf.Tuple{n.ref(refAsk, 1), 1}} {
		payload, err := etf.Append(nil, stray)
		if err != nil {
			t.Fatal(err)
		}
		l.deliver(dist.Control{Op: dist.OpRegSend, Name: "s", Payload: payload})
	}
	if sent := l.queue.take(nil); len(sent) > 0 {
		t.Errorf("answered with %q", sent)
	}
}
