package ergonode_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest/beam"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	cookie   = transport.NewCookie("monster")
)

const ourName = "ehc@127.0.0.1"

// news is an Observer that keeps what it hears.
type news struct {
	mu     sync.Mutex
	events []string
	downs  chan error
}

func newNews() *news { return &news{downs: make(chan error, 100)} }

func (w *news) Up(c transport.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, "up "+c.Peer().Node)
}

func (w *news) Down(c transport.Conn, why error) {
	w.mu.Lock()
	w.events = append(w.events, "down "+c.Peer().Node)
	w.mu.Unlock()
	w.downs <- why
}

func (w *news) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.events...)
}

// patience bounds a hang. It is far past what a busy machine needs.
const patience = 5 * time.Minute

// start runs a node of ours for the test. Its handshakes have all the time that the
// test has.
func start(t testing.TB, epmd int, change func(*ergonode.Options)) *ergonode.Node {
	t.Helper()
	o := ergonode.Options{Name: ourName, Cookies: []transport.Cookie{cookie}, Listen: loopback, EPMDPort: uint16(epmd), SetupTimeout: patience}
	if change != nil {
		change(&o)
	}
	n, err := ergonode.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func dial(t testing.TB, n *ergonode.Node, name string) transport.Conn {
	t.Helper()
	c, err := n.Dial(within(t), transport.Target{Node: name})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func peer(t testing.TB, name string, epmd int) *beam.Node {
	t.Helper()
	return beam.Start(t, beam.Options{Name: name, Cookie: "monster", EPMDPort: epmd})
}
