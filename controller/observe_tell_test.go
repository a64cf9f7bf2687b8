package controller

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
	"ehc/transport"
)

// said is what a controller has logged at its default level.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// take returns the lines since the last take.
func (s *said) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(strings.TrimSuffix(s.text.String(), "\n"), "\n")
	s.text.Reset()
	return lines
}

func TestTheLogSaysOnceWhyAClusterIsNotAsItShouldBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		p.Refuse(transport.ErrCookie)
		want := func(what string, lines ...string) {
			t.Helper()
			if diff := cmp.Diff(lines, w.said.take()); diff != "" {
				t.Errorf("%s, -want +got:\n%s", what, diff)
			}
		}
		const refused = `[WARN]  not connected: app=a node=a1@127.0.0.1 reason=CookieRejected cause="cookie rejected"`

		if err := w.store.RecordAnswer("a", "a.internal", state.Answer{Barren: "no address"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		want("no node", `[WARN]  not Discovered: app=a reason=NoNodes cause="a.internal: no address"`)
		w.list("a1@127.0.0.1")
		w.settle(10 * time.Minute)
		want("refused at every try", `[INFO]  Discovered again: app=a cause="1 listed"`, refused)
		if err := w.store.RecordFailure("a", "a.internal", "SERVFAIL"); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Minute)
		want("a failed lookup", `[WARN]  not Discovered: app=a reason=LookupFailed cause="a.internal: SERVFAIL"`)
		p.Refuse(nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		if said := w.said.take(); len(said) != 2 || said[0] != `[INFO]  Discovered again: app=a cause="1 listed"` {
			t.Errorf("all is well: %q", said)
		}
	})
}
