package controller

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/transport"
)

// told are the entries of a world's history after an id, in short.
func (w *world) told(after uint64) (entries []string, last uint64) {
	w.t.Helper()
	h, err := w.ctl.History(w.t.Context(), api.HistoryQuery{After: after})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range h.Entries {
		text := e.Kind
		for _, part := range []string{e.App, e.Node, e.Reason} {
			if part != "" {
				text += " " + part
			}
		}
		if e.Count > 1 {
			text += fmt.Sprintf(" ×%d", e.Count)
		}
		if e.Warning {
			text += " !"
		}
		entries = append(entries, text)
	}
	return entries, h.Last
}

// unlist lets the next lookup of app a fail.
func (w *world) unlist() {
	w.t.Helper()
	w.look.mu.Lock()
	delete(w.look.nodes, "a.internal")
	w.look.mu.Unlock()
	if err := w.look.look(w.store, "a", "a.internal"); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheHistoryTellsWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var last uint64
		expect := func(when string, want ...string) {
			t.Helper()
			var got []string
			if got, last = w.told(last); !cmp.Equal(want, got) {
				t.Errorf("%s -want +got:\n%s", when, cmp.Diff(want, got))
			}
		}
		expect("at the start", "Started")

		w.emit(3)
		expect("events before any node", "Buffering a")
		p := w.peer("a1@127.0.0.1", nil)
		p.Refuse(transport.ErrCookie)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		got, next := w.told(last)
		if len(got) < 2 || got[0] != "Listed a a1@127.0.0.1" || got[1] != fmt.Sprintf("DialFailed a a1@127.0.0.1 CookieRejected ×%d !", p.Dials()) {
			t.Errorf("a refused dial: %q", got)
		}
		last = next

		p.Refuse(nil)
		w.settle(time.Minute)
		got, last = w.told(last)
		if n := len(got); n < 3 || !cmp.Equal(got[n-3:], []string{"Connected a a1@127.0.0.1", "Resynced a a1@127.0.0.1", "Drained a"}) {
			t.Errorf("once it is let in: %q", got)
		}

		w.emit(1)
		w.settle(time.Second)
		expect("an event that passes through")

		w.unlist()
		expect("a lookup that fails", "LookupFailed a LookupFailed !")
		w.unlist()
		expect("and fails again")
		w.list("a1@127.0.0.1")
		expect("and works", "LookupRecovered a")

		p.Kill()
		w.settle(time.Millisecond)
		got, last = w.told(last)
		if len(got) == 0 || got[0] != "Disconnected a a1@127.0.0.1 Disconnected !" {
			t.Errorf("a node that stops: %q", got)
		}
	})
}
