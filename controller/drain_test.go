package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

const handlerModule = "Elixir.EventHorizon.Remote.Handler"

// batches gives a node the handler of batches: answer says what it answers for
// these ids, of which the first handled have arrived.
func (w *world) batches(n *transporttest.Node, answer func(ids []string) (handled int, value etf.Term, err error)) {
	n.Handle(transport.Function{Module: handlerModule, Name: "handle_buffered_events", Arity: 1},
		func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			var ids []string
			for _, e := range args[0].(etf.List) {
				v, _ := e.(etf.Map).Get(etf.Atom("event_id"))
				ids = append(ids, v.(string))
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, len(ids))
			handled, value, err := answer(ids)
			w.got = append(w.got, ids[:handled]...)
			return value, err
		})
}

// release lets a node answer for its OTP release.
func (*world) release(n *transporttest.Node) {
	n.Handle(transport.Function{Module: "erlang", Name: "system_info", Arity: 1},
		func(context.Context, string, []transport.Term) (transport.Term, error) {
			return etf.List{50, 53}, nil
		})
}

func (w *world) called() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]int(nil), w.calls...)
}

func (w *world) queue() api.OutboxApp { return w.status().Outbox[0] }

var (
	ok    = etf.Atom("ok")
	fault = etf.Atom("error")
)

func takesAll(ids []string) (int, etf.Term, error) { return len(ids), ok, nil }

func TestBatchesGrowWithThePeersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.batches(w.peer("a1@127.0.0.1", nil), takesAll)
		ids := append(w.emit(1000), w.emit(1000)...)
		w.list("a1@127.0.0.1")
		w.settle(5 * time.Second)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]int{32, 32, 128, 128, 512, 512}, w.called()[:6]); diff != "" {
			t.Errorf("batches -want +got:\n%s", diff)
		}
	})
}

func TestASlowPeerGetsSmallBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.peer("a1@127.0.0.1", nil)
		n.Handle(transport.Function{Module: handlerModule, Name: "handle_buffered_events", Arity: 1},
			func(ctx context.Context, _ string, args []transport.Term) (transport.Term, error) {
				events := args[0].(etf.List)
				w.mu.Lock()
				w.calls = append(w.calls, len(events))
				w.mu.Unlock()
				select {
				case <-time.After(time.Duration(len(events)) * 300 * time.Millisecond):
					return ok, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
		w.emit(100)
		w.list("a1@127.0.0.1")
		w.settle(2 * time.Minute)
		calls := w.called()
		if q := w.queue(); q.Pending != 0 || q.Dead != 0 {
			t.Errorf("queue = %+v", q)
		}
		// 32 take longer than the five seconds that a call may take.
		if len(calls) < 3 || calls[0] != 32 || calls[1] != 8 || calls[2] > 8 {
			t.Errorf("batches: %v", calls)
		}
	})
}

func TestAnswersOfTheBatchHandler(t *testing.T) {
	for name, c := range map[string]struct {
		// answer is for a batch in which bad is at index at, or not at all: -1.
		answer func(n, at int) (handled int, value etf.Term, err error)
		reason string // of the letter; empty: there is none
		holds  string // the reason for which the queue waits for good
	}{
		"it gets as far as two, and goes on": {
			answer: func(n, _ int) (int, etf.Term, error) { return min(n, 2), etf.Tuple{ok, min(n, 2)}, nil },
		},
		"the poison event is unknown, and dies at once": {
			answer: func(_, at int) (int, etf.Term, error) {
				return at, etf.Tuple{fault, at, etf.Atom("unknown_event_type")}, nil
			},
			reason: "UnknownEventType",
		},
		"the poison event is refused until it has had its tries": {
			answer: func(_, at int) (int, etf.Term, error) { return at, etf.Tuple{fault, at, etf.Atom("no_disk")}, nil },
			reason: "HandlerRefused",
		},
		"the poison event raises": {
			answer: func(int, int) (int, etf.Term, error) {
				return 0, nil, &transport.RaisedError{Class: "error", Reason: etf.Atom("badarg"), Text: "badarg"}
			},
			reason: "HandlerRaised",
		},
		"the poison event kills the process": {
			answer: func(int, int) (int, etf.Term, error) {
				return 0, nil, &transport.SignalError{Reason: etf.Atom("killed"), Text: "killed"}
			},
			reason: "HandlerKilled",
		},
		"the poison event makes it answer nonsense": {
			answer: func(int, int) (int, etf.Term, error) { return 0, etf.Tuple{ok, 5000}, nil },
			reason: "HandlerRefused",
		},
		"something below the handler is undefined, and it dies at once": {
			answer: func(int, int) (int, etf.Term, error) {
				stack := etf.List{etf.Tuple{etf.Atom("Elixir.Repo"), etf.Atom("insert"), 1, etf.List{}}}
				return 0, nil, &transport.RaisedError{Class: "error", Reason: etf.Atom("undef"), Stack: stack, Text: "undef"}
			},
			reason: "FunctionUndefined",
		},
		"it makes no progress": {
			answer: func(int, int) (int, etf.Term, error) { return 0, etf.Tuple{ok, 0}, nil },
			holds:  "NoProgress",
		},
		"its process is not started": {
			answer: func(int, int) (int, etf.Term, error) { return 0, nil, &transport.SpawnError{Reason: "system_limit"} },
			holds:  "CallRefused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, strings.Replace(worldText, "deliver {}", "deliver { tries = 3 }", 1))
				ids := w.emit(40)
				bad := ids[17]
				w.batches(w.peer("a1@127.0.0.1", nil), func(ids []string) (int, etf.Term, error) {
					for i, id := range ids {
						if id == bad {
							return c.answer(len(ids), i)
						}
					}
					return takesAll(ids)
				})
				w.list("a1@127.0.0.1")
				w.settle(5 * time.Minute)
				want := ids
				switch {
				case c.reason != "":
					want = append(append([]string{}, ids[:17]...), ids[18:]...)
					if d := w.dead(); len(d) != 1 || d[0].ID != bad || d[0].Reason != c.reason || d[0].Error == "" || d[0].DiedAt.IsZero() {
						t.Errorf("dead letters: %+v", d)
					}
				case c.holds != "":
					want = ids[:len(w.arrived())]
					if q := w.queue(); q.Reason != c.holds || q.Dead != 0 || q.Pending != 40-len(want) || len(want) > 17 {
						t.Errorf("queue = %+v after %d arrived", q, len(want))
					}
				}
				if diff := cmp.Diff(want, append([]string{}, w.arrived()...)); diff != "" {
					t.Errorf("arrived -want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestAPeerWithoutTheBatchHandlerIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		ids := w.emit(100)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		ids = append(ids, w.emit(3)...)
		w.settle(time.Second)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		if n := p.Calls(handlerModule + ":handle_buffered_events"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestAHandlerThatIsNotThereHoldsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.net.Add("a1@127.0.0.1")
		w.release(n)
		ids := w.emit(3)
		w.list("a1@127.0.0.1")
		w.settle(24 * time.Hour)
		if q := w.queue(); q.Pending != 3 || q.Dead != 0 || q.Reason != "HandlerUndefined" {
			t.Errorf("queue = %+v", q)
		}
		w.batches(n, takesAll) // deployed at last, on the same connection
		w.settle(2 * time.Minute)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		if len(w.called()) == 0 {
			t.Error("the batch handler was not asked for again")
		}
	})
}

// Whoever deploys the handler restarts the node, or brings another in its place: then
// what waited goes at once, however long the pause has become.
func TestANodeThatIsStartedAgainGetsWhatWaitsAtOnce(t *testing.T) {
	for _, next := range []state.Node{"a1@127.0.0.1", "a2@127.0.0.1"} {
		t.Run(string(next), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				n := w.net.Add("a1@127.0.0.1")
				w.release(n)
				ids := w.emit(3)
				w.list("a1@127.0.0.1")
				w.settle(time.Hour)
				for time.Until(w.queue().RetryAt) < 20*time.Second {
					w.settle(time.Second)
				}
				n.Kill()
				w.list(next)
				p := w.peer(string(next), nil)
				w.batches(p, takesAll)
				p.Restart()
				w.settle(10 * time.Second)
				if diff := cmp.Diff(ids, w.arrived()); diff != "" {
					t.Errorf("arrived -want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestWhatAReceiverSaysOfItselfBuriesNothing(t *testing.T) {
	for says, reason := range map[string]string{"no_space": "ReceiverFull", "unavailable": "ReceiverFailed"} {
		t.Run(says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, strings.Replace(worldText, "deliver {}", "deliver { tries = 2 }", 1))
				sick := true
				w.peer("a1@127.0.0.1", func(string) error {
					if sick {
						return errors.New(says)
					}
					return nil
				})
				ids := w.emit(3)
				w.list("a1@127.0.0.1")
				w.settle(time.Hour)
				if q := w.queue(); q.Pending != 3 || q.Dead != 0 || q.Reason != reason {
					t.Errorf("queue = %+v", q)
				}
				w.mu.Lock()
				sick = false
				w.mu.Unlock()
				w.settle(2 * time.Minute)
				if diff := cmp.Diff(ids, w.arrived()); diff != "" {
					t.Errorf("arrived -want +got:\n%s", diff)
				}
			})
		})
	}
	v, usable := batchVerdict(etf.Tuple{etf.Atom("error"), noSpace}, nil, 1)
	if usable || v.handled != 0 || v.stop.event || v.stop.reason != "ReceiverFull" {
		t.Errorf("as the answer for a batch: %+v", v.stop)
	}
}

// TestDialsAreNotInTheWayOfDrains: many machines that do not answer, and one app that
// is well.
func TestDialsAreNotInTheWayOfDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+`peer "b" { queries = ["b.internal"] }`)
		w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		var silent []state.Node
		for i := range 3 * actionsAtOnce {
			name := fmt.Sprintf("b%d@127.0.0.1", i)
			w.net.Add(name).Freeze()
			silent = append(silent, state.Node(name))
		}
		w.look.mu.Lock()
		w.look.nodes["b.internal"] = silent
		w.look.mu.Unlock()
		if err := w.look.look(w.store, "b", "b.internal"); err != nil {
			t.Fatal(err)
		}
		for range 30 { // more than it takes to find them and give all of them up once
			ids := w.emit(1)
			w.settle(2 * time.Second)
			if got := w.arrived(); len(got) == 0 || got[len(got)-1] != ids[0] {
				t.Fatalf("an event waits behind the dials: %+v", w.queue())
			}
		}
		dialled := 0
		for _, n := range silent {
			if w.store.Snapshot().Conn(n).Tries > 0 {
				dialled++
			}
		}
		if dialled != len(silent) {
			t.Errorf("%d of %d have been dialled", dialled, len(silent))
		}
	})
}

func TestAHandlerThatDoesNotAnswerIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		n.Freeze()
		id := w.emit(1)[0]
		w.settle(8 * time.Second)
		want := "deliver " + id + ": call EventHorizon.Remote.Handler.handle_buffered_events/1 on a1@127.0.0.1: timed out: no answer within 5s"
		if q := w.queue(); q.Reason != "TimedOut" || q.Message != want {
			t.Errorf("queue = %+v, want %s", q, want)
		}
	})
}

func TestTheNextNodeTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.release(w.net.Add("a1@127.0.0.1")) // it has no handler
		w.batches(w.peer("a2@127.0.0.1", nil), takesAll)
		ids := w.emit(3)
		w.list("a1@127.0.0.1", "a2@127.0.0.1")
		w.settle(5 * time.Second)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		ids = append(ids, w.emit(1)...)
		w.settle(100 * time.Millisecond) // it stays with the node that works
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
	})
}

func TestALostConnectionInTheMiddleOfABatchLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		left := 3
		w.batches(p, func(ids []string) (int, etf.Term, error) {
			if left--; left == 0 {
				go p.Kill()
				return 0, etf.Tuple{fault, etf.Atom("dying")}, nil
			}
			return takesAll(ids)
		})
		ids := w.emit(1000)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		p.Restart()
		w.batches(w.peer("a1@127.0.0.1", nil), takesAll)
		w.settle(5 * time.Minute)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		if q := w.queue(); q.Pending != 0 || q.Dead != 0 {
			t.Errorf("queue = %+v", q)
		}
	})
}

func TestPoisonIsFoundInFewTries(t *testing.T) {
	// By the table of pace: 256, 64, 16, 4, 1.
	p := pace{size: 256}
	tries := 0
	for first, bad := 0, 100; first <= bad; {
		n := p.size
		if last := first + n - 1; last >= bad && n > 1 {
			p.spoiled(n, uint64(last))
			tries++
		} else {
			p.answered(n, uint64(last), 0, time.Second)
			first += n
		}
	}
	if tries != 4 {
		t.Errorf("%d batches without an answer, want 4", tries)
	}
	if s := fmt.Sprint(p.size); s != "1" {
		t.Errorf("the poison event is in a batch of %s", s)
	}
}
