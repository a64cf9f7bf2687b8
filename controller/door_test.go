package controller

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/controller/termjson"
	"ehc/state/disk"
	"ehc/transport"
	"ehc/transport/etf"
)

func atom(s string) etf.Term { return etf.Atom(s) }

// call makes a request as a node would, and returns the answer as Erlang writes it.
func (w *world) call(request ...etf.Term) string {
	w.t.Helper()
	var r etf.Term = etf.Tuple(request)
	if len(request) == 1 {
		r = request[0]
	}
	answer, err := w.door.Call(w.t.Context(), "event_horizon@127.0.0.1", []transport.Term{r})
	if err != nil {
		w.t.Fatal(err)
	}
	return etf.Text(answer)
}

// wants fails the test unless a request is answered so; a want that ends in "…" is how
// the answer begins.
func (w *world) wants(want string, request ...etf.Term) {
	w.t.Helper()
	got := w.call(request...)
	start, cut := strings.CutSuffix(want, "…")
	if got != want && (!cut || !strings.HasPrefix(got, start)) {
		w.t.Errorf("%s is answered %s, want %s", etf.Text(etf.Tuple(request)), got, want)
	}
}

func TestAnAppWritesThroughTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := callWorld(t)
		w.wants(`{ok,delivered,<<"1">>}`, atom("increment_visit"), "/blog", 2, "1")
		w.wants(`{ok,delivered,<<"1">>}`, atom("increment_visit"), "/blog", 2, "1") // once
		w.wants(`{ok,delivered,<<"0…`, atom("increment_visit"), "/blog")
		w.wants(`{ok,delivered,<<"0…`, atom("update_likes"), 7, -1, atom("nil"))
		w.wants(`{ok,delivered,<<"2">>}`, atom("add_comment"), "hello", atomMap("author", "Ada"), "2")
		w.wants(`{ok,delivered,<<"3">>}`, atom("emit"), atom("signed_up"), atomMap("plan", atom("pro"), "n", 1), "3")
		w.wants(`{ok,delivered,<<"0…`, atom("emit"), "signed_up", etf.Map{})
		if got := w.arrived(); len(got) != 6 || got[0] != "1" || got[3] != "2" || got[4] != "3" {
			t.Errorf("arrived: %q", got)
		}
		for _, n := range []string{"a1@127.0.0.1", "a2@127.0.0.1"} {
			w.net.Node(n).Kill()
		}
		w.settle(time.Second)
		w.wants(`{ok,buffered,<<"4">>}`, atom("increment_visit"), "/blog", 1, "4")
		if n := w.status().Outbox[0].Pending; n != 1 {
			t.Errorf("%d wait, want 1", n)
		}
	})
}

func TestAnAppReadsThroughTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a1, a2 := callWorld(t)
		for _, word := range []string{"get_realtime_count", "count"} {
			w.wants(`{ok,1234}`, atom(word), "visits:/blog")
			w.wants(`{ok,1234}`, atom(word), "visits:/blog", "a")
			w.wants(`{ok,1234}`, atom(word), "visits:/blog", atom("nil"))
			w.wants(`{ok,1234}`, atom(word), "visits:/blog", atom("a"))
			w.wants(`{error,{remote,answer,<<"seven">>}}`, atom(word), "text")
			w.wants(`{error,{bad_request,<<"no app \"b\"…`, atom(word), "visits:/blog", "b")
		}
		w.wants("pong", atom("ping"))
		w.wants(`{ok,#{node => 'ehc@127.0.0.1',apps => #{<<"a">> => #{connected => ['a1@127.0.0.1','a2@127.0.0.1'],pending => 0,dead => 0}}}}`, atom("status"))
		w.wants(`{ok,['a1@127.0.0.1','a2@127.0.0.1']}`, atom("connected_nodes"), "a")
		w.wants(`{error,{bad_request,<<"no app…`, atom("connected_nodes"), "b")
		a1.Freeze()
		w.wants(`{error,timeout}`, atom("count"), "visits:/blog")
		a1.Thaw()
		a1.Kill()
		a2.Kill()
		w.settle(time.Second)
		w.wants(`{error,disconnected}`, atom("count"), "visits:/blog")
		w.wants(`{ok,[]}`, atom("connected_nodes"), "a")
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "x.hcl", Text: worldText}); err != nil {
			t.Fatal(err)
		}
		w.wants(`{error,{not_allowed,<<"Remote.Metrics.get_count/1 may not be called…`, atom("count"), "visits:/blog")
	})
}

// TestBadRequestsAreAnswers: the caller is told, and does not exit.
func TestBadRequestsAreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		long, _ := new(big.Int).SetString(strings.Repeat("9", 2000), 10)
		deep := etf.Term("x")
		for range maxCarried {
			deep = etf.List{deep}
		}
		emit := func(payload etf.Term) etf.Tuple { return etf.Tuple{atom("emit"), atom("x"), payload} }
		for name, r := range map[string]etf.Term{
			"nothing":                   etf.Tuple{},
			"text":                      "increment_visit",
			"a word that is unknown":    atom("increment"),
			"ping with more":            etf.Tuple{atom("ping"), 1},
			"a visit of nothing":        etf.Tuple{atom("increment_visit")},
			"a visit of a list":         etf.Tuple{atom("increment_visit"), etf.List{}, 1},
			"a page that is no text":    etf.Tuple{atom("increment_visit"), "\xff", 1},
			"a delta that is a float":   etf.Tuple{atom("increment_visit"), "/", 1.5},
			"a delta that is long":      etf.Tuple{atom("increment_visit"), "/", long},
			"a delta that is a map":     etf.Tuple{atom("update_likes"), "/", etf.Map{}},
			"likes without a delta":     etf.Tuple{atom("update_likes"), "/"},
			"a comment that is text":    etf.Tuple{atom("add_comment"), "/", "Nice."},
			"more than an id":           etf.Tuple{atom("add_comment"), "/", etf.Map{}, "1", "2"},
			"an id that is a number":    etf.Tuple{atom("increment_visit"), "/", 1, 7},
			"an id that is empty":       etf.Tuple{atom("increment_visit"), "/", 1, ""},
			"an id that is long":        etf.Tuple{atom("increment_visit"), "/", 1, strings.Repeat("i", 200)},
			"an event without a type":   etf.Tuple{atom("emit"), "", etf.Map{}},
			"an event without payload":  etf.Tuple{atom("emit"), atom("x")},
			"a payload that is a list":  emit(etf.List{}),
			"a tuple in a payload":      emit(atomMap("a", etf.Tuple{1, 2})),
			"a pid in a payload":        emit(atomMap("a", etf.List{etf.Pid{Node: "n@h"}})),
			"bytes in a payload":        emit(atomMap("a", "\xff")),
			"a struct in a payload":     emit(atomMap("a", atomMap("__struct__", etf.Atom("Elixir.Comment")))),
			"a key that is a number":    emit(etf.Map{{Key: 1, Value: 2}}),
			"two keys of one text":      emit(etf.Map{{Key: "a", Value: 1}, {Key: etf.Atom("a"), Value: 2}}),
			"a key like a form":         emit(etf.Map{{Key: "$set", Value: 1}}),
			"a key like a form below":   emit(atomMap("a", etf.List{atomMap("$atom", "ok")})),
			"two keys of one name":      emit(etf.Map{{Key: etf.Atom("Elixir.X"), Value: 1}, {Key: etf.Atom("X"), Value: 2}}),
			"a name beside its text":    emit(atomMap("a", etf.Map{{Key: etf.Atom("Elixir.X"), Value: 1}, {Key: "X", Value: 2}})),
			"an endless integer":        emit(atomMap("a", long)),
			"a payload that nests deep": emit(atomMap("a", deep)),
			"a count without a key":     etf.Tuple{atom("count")},
			"a count of a number":       etf.Tuple{atom("count"), 1},
			"a count of too much":       etf.Tuple{atom("count"), "a", "b", "c"},
		} {
			answer, err := w.door.Call(t.Context(), "x@h", []transport.Term{r})
			a, _ := answer.(etf.Tuple)
			if err != nil || len(a) != 2 || a[0] != atom("error") {
				t.Errorf("%s: answered %s, %v", name, etf.Text(answer), err)
				continue
			}
			if why, _ := a[1].(etf.Tuple); len(why) != 2 || why[0] != atom("bad_request") || why[1] == "" {
				t.Errorf("%s: answered %s", name, etf.Text(answer))
			}
			if _, err := w.door.Cast(t.Context(), "x@h", []transport.Term{r}); err == nil && name != "an id that is long" {
				t.Errorf("%s: taken as a cast", name)
			}
		}
		w.settle(time.Second)
		if n := w.status().Outbox[0].Pending; n != 0 {
			t.Errorf("%d events wait, want none", n)
		}
	})
}

// TestWhatIsNoStringIsTold: Elixir has two more things that look like one.
func TestWhatIsNoStringIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		charlist := etf.List{47, 98}
		w.wants(`{error,{bad_request,<<"increment_visit: page_id [47,98]: want a string or an integer: to_string/1 makes one of a charlist">>}}`, atom("increment_visit"), charlist, 1)
		w.wants(`{error,{bad_request,<<"increment_visit: page_id blog: want a string or an integer: to_string/1 makes one of an atom">>}}`, atom("increment_visit"), atom("blog"), 1)
		w.wants(`{error,{bad_request,<<"increment_visit: page_id nil: want a string or an integer">>}}`, atom("increment_visit"), atom("nil"), 1)
		w.wants(`{error,{bad_request,<<"increment_visit: id a: want a string: to_string/1 makes one of an atom">>}}`, atom("increment_visit"), "/", 1, atom("a"))
		w.wants(`{error,{bad_request,<<"count: want a key, a string, and perhaps an app after it, not {count,[47,98]}">>}}`, atom("count"), charlist)
		w.wants(`{error,{bad_request,<<"connected_nodes: want an app, an atom or a string, not connected_nodes">>}}`, atom("connected_nodes"))
	})
}

func TestWhatAPayloadBecomes(t *testing.T) {
	at, err := etf.From(time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	payload := atomMap("at", at, "who", etf.Map{{Key: "name", Value: "Ada"}, {Key: etf.Atom("role"), Value: etf.Atom("admin")}},
		"tags", etf.List{"a", 1, 2.5, etf.Atom("nil"), etf.Atom("true")}, "$set", etf.Map{{Key: "$a", Value: 1}, {Key: "b", Value: 2}})
	e, why := eventOf(etf.Tuple{atom("emit"), atom("x"), payload}, "emit")
	want := `{"at":"2026-11-27T05:00:00.000000Z","who":{"name":"Ada","role":"admin"},"tags":["a",1,2.5,null,true],"$set":{"$a":1,"b":2}}`
	if diff := cmp.Diff(want, string(e.Payload)); diff != "" || why != "" {
		t.Errorf("%s: -want +got:\n%s", why, diff)
	}
}

// TestWhatDoesNotGetThroughTheDoorIsAnAnswer: the node turns it away.
func TestWhatDoesNotGetThroughTheDoorIsAnAnswer(t *testing.T) {
	d := NewDoor(hclog.NewNullLogger(), nil)
	for why, want := range map[error]string{
		transport.ErrBusy: `{error,{unavailable,<<"too many calls of this node are under way">>}}`,
		errors.New("decode term at byte 7: more than 512 containers deep"): `{error,{bad_request,<<"request: decode term at byte 7: more than 512 containers deep">>}}`,
	} {
		if got := etf.Text(d.TurnAway(why)); got != want {
			t.Errorf("%v: answered %s, want %s", why, got, want)
		}
	}
}

func TestAFullOutboxIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+"outbox {\n max_events = 2\n}\n")
		w.wants(`{ok,buffered,<<"1">>}`, atom("increment_visit"), "/", 1, "1")
		w.wants(`{ok,buffered,<<"2">>}`, atom("increment_visit"), "/", 1, "2")
		w.wants(`{error,{full,<<"outbox of a is full: 2 of 2 events…`, atom("increment_visit"), "/", 1, "3")
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.wants(`{error,{unavailable,…`, atom("increment_visit"), "/", 1, "4")
	})
}

// TestADiskThatHangsIsAnAnswer: the caller does not exit, and its event is there once
// the disk gets on.
func TestADiskThatHangsIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var writes sync.WaitGroup
		hang := func(until <-chan struct{}) {
			writes.Go(func() {
				if err := w.db.Write(t.Context(), func(*disk.Tx) error { <-until; return nil }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		before, after := make(chan struct{}), make(chan struct{})
		hang(before)
		answer := make(chan string, 1)
		go func() { answer <- w.call(atom("increment_visit"), "/", 1, "1") }()
		synctest.Wait()
		hang(after)
		close(before) // the event is in the commit that hangs now
		time.AfterFunc(doorLimit+time.Second, func() { close(after) })
		if got := <-answer; !strings.HasPrefix(got, `{error,{unavailable,<<"no end after`) {
			t.Errorf("answered %s", got)
		}
		writes.Wait()
		w.settle(time.Second)
		w.wants(`{ok,buffered,<<"1">>}`, atom("increment_visit"), "/", 1, "1")
		if n := w.status().Outbox[0].Pending; n != 1 {
			t.Errorf("%d wait, want 1", n)
		}
	})
}

func TestCastsAreKeptInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		var want []string
		for i := range 600 {
			id := fmt.Sprint(i)
			if _, err := w.door.Cast(t.Context(), "x@h", []transport.Term{etf.Tuple{atom("increment_visit"), "/", 1, id}}); err != nil {
				t.Fatal(err)
			}
			want = append(want, id)
		}
		w.settle(time.Second)
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		if diff := cmp.Diff(want, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
	})
}

// TestACastThatIsRefusedCostsNoOther: an event whose id is too long is refused when
// it is put on disk, with those beside it.
func TestACastThatIsRefusedCostsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, worldText+"outbox {\n max_events = 3\n}\n")
		for _, id := range []string{"1", strings.Repeat("i", 200), "2", "3", "4"} {
			if _, err := w.door.Cast(t.Context(), "x@h", []transport.Term{etf.Tuple{atom("increment_visit"), "/", 1, id}}); err != nil {
				t.Fatal(err)
			}
		}
		w.settle(time.Second)
		events, err := w.ctl.box.List(t.Context(), "a", 0, 10)
		var ids []string
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		if err != nil || !slices.Equal(ids, []string{"1", "2", "3"}) {
			t.Errorf("kept %q, %v", ids, err)
		}
	})
}

// TestCastsAreNotDoubledWhenTheirFateIsUnknown: they are on disk, and delivered at once,
// and whether they became dead letters cannot be read.
func TestCastsAreNotDoubledWhenTheirFateIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", func(id string) error {
			if id == "poison" {
				return errors.New("unknown_event_type")
			}
			return nil
		})
		w.list("a1@127.0.0.1")
		cast := func(id etf.Term) {
			if _, err := w.door.Cast(t.Context(), "x@h", []transport.Term{etf.Tuple{atom("increment_visit"), "/", 1, id}}); err != nil {
				t.Fatal(err)
			}
		}
		cast("poison")
		w.settle(time.Second)
		if len(w.dead()) != 1 {
			t.Fatal("no dead letter")
		}
		w.damage("DROP TABLE outbox_dead")
		w.ctl.box.OnChange(func(app string, pending int) {
			w.ctl.backlog(app, pending)
			time.Sleep(100 * time.Millisecond) // until it is delivered
		})
		for range 3 { // two of them are put on disk together
			cast(atom("nil"))
			synctest.Wait()
		}
		w.settle(time.Second)
		if got := w.arrived(); len(got) != 3 {
			t.Errorf("three casts arrive as %q", got)
		}
	})
}

func TestACastThatWaitsForTheDiskOutlivesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := NewDoor(hclog.NewNullLogger(), nil)
		d.open(w.ctl)
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			d.run(ctx)
		}()
		release := make(chan struct{})
		go func() {
			_ = w.db.Write(t.Context(), func(*disk.Tx) error {
				<-release
				return nil
			})
		}()
		synctest.Wait()
		if _, err := d.Cast(t.Context(), "x@h", []transport.Term{etf.Tuple{atom("increment_visit"), "/"}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		w.settle(lastCastLimit / 2)
		close(release)
		<-over
		if q := w.queue(); q.Pending != 1 {
			t.Errorf("after the end %d wait", q.Pending)
		}
	})
}

func TestADoorWaitsForItsController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDoor(hclog.NewNullLogger(), nil)
		answer, err := d.Call(t.Context(), "x@h", []transport.Term{atom("ping")})
		if got := etf.Text(answer); err != nil || got != `{error,{unavailable,<<"ehc is still starting">>}}` {
			t.Errorf("%s, %v", got, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range castsAtOnce + 1 {
			_, err = d.Cast(ctx, "x@h", []transport.Term{etf.Tuple{atom("increment_visit"), "/"}})
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("a cast: %v", err)
		}
	})
}

// FuzzDoor: whatever is asked is answered, and what is taken for an event can be
// delivered.
func FuzzDoor(f *testing.F) {
	for _, r := range []etf.Term{
		etf.Tuple{atom("increment_visit"), "/blog", 1, "id"}, etf.Tuple{atom("add_comment"), 7, atomMap("a", etf.List{1, 2.5})},
		etf.Tuple{atom("emit"), atom("x"), etf.Map{{Key: "k", Value: etf.Atom("v")}}}, etf.Tuple{atom("count"), "a:b", "c"}, atom("status"),
	} {
		b, err := etf.Encode(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term, err := etf.Decode(b)
		if err != nil {
			return
		}
		r, word := requestOf(term)
		e, why := eventOf(r, word)
		if why != "" {
			return
		}
		if _, err := termjson.Fields(e.Payload); err != nil {
			t.Fatalf("%s makes the payload %s: %v", etf.Text(term), e.Payload, err)
		}
	})
}
