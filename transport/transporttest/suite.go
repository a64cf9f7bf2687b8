package transporttest

import (
	"context"
	_ "embed" // the functions of a real peer
	"errors"
	"sync"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/etf"
)

// Functions is the source of the Erlang module ehc_suite, which a real node that
// Suite dials must have loaded. Memory answers for it in nodes without Erlang.
//
//go:embed ehc_suite.erl
var Functions string

// Rig is what Suite tests a Dialer with.
type Rig struct {
	// Dialer makes the Dialer to test, with Cookie as its own and o as its Observer.
	// It is the only one of its name at a time, and goes when the test ends.
	Dialer func(t *testing.T, o transport.Observer) transport.Dialer
	// Peer starts a node that is up and knows Cookie. It goes when the test ends.
	Peer func(t *testing.T) Peer
	// Cookie is what peers want.
	Cookie transport.Cookie
}

// Peer is a node for Suite to dial.
type Peer struct {
	// Target reaches the node; it has no cookies.
	Target transport.Target
	// Kill ends the node without a word. Restart does so too and brings it up again.
	Kill, Restart func()
}

// patience is how long Suite waits for what must come.
const patience = 5 * time.Minute

// Suite is what every Dialer must do, whatever is under it. It says nothing about
// how fast that is.
func Suite(t *testing.T, r Rig) {
	t.Run("dial", func(t *testing.T) { suiteDial(t, r) })
	t.Run("refusal", func(t *testing.T) { suiteRefusal(t, r) })
	t.Run("call", func(t *testing.T) { suiteCall(t, r) })
	t.Run("server", func(t *testing.T) { suiteServer(t, r) })
	t.Run("cast", func(t *testing.T) { suiteCast(t, r) })
	t.Run("several", func(t *testing.T) { suiteSeveral(t, r) })
	t.Run("end", func(t *testing.T) { suiteEnd(t, r) })
}

// Watcher is an Observer for tests: it keeps what it hears and fails the test if
// calls about one node overlap or come in a wrong order.
type Watcher struct {
	t testing.TB

	mu      sync.Mutex
	inside  map[string]bool
	current map[string]transport.Conn
	downs   map[transport.Conn]error
	ups     int
	changed chan struct{}
}

// NewWatcher returns a Watcher for the test.
func NewWatcher(t testing.TB) *Watcher {
	return &Watcher{
		t: t, inside: map[string]bool{}, current: map[string]transport.Conn{},
		downs: map[transport.Conn]error{}, changed: make(chan struct{}),
	}
}

// Up implements transport.Observer.
func (w *Watcher) Up(c transport.Conn) {
	w.tell(c, func(name string) {
		if w.current[name] != nil {
			w.t.Errorf("up for %s, which is up", name)
		}
		w.current[name] = c
		w.ups++
	})
}

// Down implements transport.Observer.
func (w *Watcher) Down(c transport.Conn, why error) {
	w.tell(c, func(name string) {
		if w.current[name] != c {
			w.t.Errorf("down for a connection to %s that is not up", name)
		}
		if why == nil {
			w.t.Errorf("down for %s without a reason", name)
		}
		delete(w.current, name)
		w.downs[c] = why
	})
}

func (w *Watcher) tell(c transport.Conn, note func(name string)) {
	name := c.Peer().Node
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inside[name] {
		w.t.Errorf("two calls about %s at once", name)
	}
	w.inside[name] = true
	w.mu.Unlock() // whoever calls at once has the chance to be seen
	time.Sleep(time.Millisecond)
	w.mu.Lock()
	w.inside[name] = false
	note(name)
	close(w.changed)
	w.changed = make(chan struct{})
}

// Ups is how often a connection came up.
func (w *Watcher) Ups() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ups
}

// Current is the connection to a node that is up, nil if there is none.
func (w *Watcher) Current(name string) transport.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current[name]
}

// Why waits until a connection is down and returns the reason.
func (w *Watcher) Why(c transport.Conn) error {
	w.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		w.mu.Lock()
		why, ok := w.downs[c]
		changed := w.changed
		w.mu.Unlock()
		if ok {
			return why
		}
		select {
		case <-changed:
		case <-deadline.C:
			w.t.Fatalf("the connection to %s is still up", c.Peer().Node)
		}
	}
}

// soon is a context that ends long after the test should have.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// call calls ehc_suite on the peer and fails the test on an error.
func call(t *testing.T, c transport.Conn, function string, args ...transport.Term) transport.Term {
	t.Helper()
	v, err := c.Call(soon(t), "ehc_suite", function, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// eventually waits until a sleeper of that name is there, or is there no more.
func eventually(t *testing.T, c transport.Conn, want transport.Term, sleeper etf.Atom) {
	t.Helper()
	ctx := soon(t)
	for {
		v, err := c.Call(ctx, "ehc_suite", "alive", sleeper)
		if err != nil {
			t.Fatal(err)
		}
		if v == want {
			return
		}
	}
}

func mustDial(t *testing.T, d transport.Dialer, target transport.Target) transport.Conn {
	t.Helper()
	c, err := d.Dial(soon(t), target)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

const (
	yes = etf.Atom("true")
	no  = etf.Atom("false")
)
