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
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/inbox"
	"ehc/transport"
	"ehc/transport/etf"
)

var receiveSpec = state.Receive{
	Handler: state.Function{Module: "Elixir.Remote.Handler", Name: "one"},
	Batch:   state.Function{Module: "Elixir.Remote.Handler", Name: "many"},
	Counts:  []state.Function{{Module: "Elixir.Remote.Metrics", Name: "get_count"}, {Module: "counts", Name: "read"}},
	Inbox:   state.InboxSpec{KeepFor: time.Hour, MaxIDs: 1000},
}

// receiving is a receiver as other nodes see it.
type receiving struct {
	t         testing.TB
	db        *disk.DB
	box       *inbox.Box
	functions map[transport.Function]transport.Handler
}

func newReceiving(t testing.TB) *receiving {
	db, err := disk.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	box := inbox.New(db, receiveSpec.Inbox)
	r := NewReceiver(box, receiveSpec, hclog.NewNullLogger())
	return &receiving{t: t, db: db, box: box, functions: r.Functions()}
}

// call calls a function and returns its answer in Erlang's syntax, or what it
// raised.
func (r *receiving) call(module, name string, args ...etf.Term) string {
	r.t.Helper()
	f := r.functions[transport.Function{Module: module, Name: name, Arity: len(args)}]
	if f == nil {
		r.t.Fatalf("%s:%s/%d is not served", module, name, len(args))
	}
	answer, err := f(context.Background(), "a@127.0.0.1", args)
	var raised *transport.RaisedError
	if errors.As(err, &raised) {
		return "raised " + raised.Text
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return etf.Text(answer)
}

func (r *receiving) one(event etf.Term) string { return r.call("Elixir.Remote.Handler", "one", event) }
func (r *receiving) many(events etf.Term) string {
	return r.call("Elixir.Remote.Handler", "many", events)
}
func (r *receiving) count(key etf.Term) string {
	return r.call("Elixir.Remote.Metrics", "get_count", key)
}

// atomMap is a map with atoms as keys.
func atomMap(pairs ...any) etf.Map {
	m := etf.Map{}
	for i := 0; i < len(pairs); i += 2 {
		m = append(m, etf.Pair{Key: etf.Atom(pairs[i].(string)), Value: pairs[i+1]})
	}
	return m
}

func visitTerm(id, page string, delta int) etf.Map {
	return atomMap("event_id", id, "type", etf.Atom("increment_visit"), "payload", atomMap("page_id", page, "delta", delta))
}

func TestWhatTheOutboxSendsIsReceived(t *testing.T) {
	r := newReceiving(t)
	for key, e := range map[string][2]string{
		"visits:/blog": {"increment_visit", `{"page_id": "/blog", "delta": 3}`},
		"likes:7":      {"update_likes", `{"post_id": 7, "delta": 3}`},
		"signups:eu:1": {"count", `{"name": "signups", "key": "eu:1", "delta": 3}`},
	} {
		term, err := eventTerm("id of "+key, e[0], []byte(e[1]), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := r.one(term); got != "ok" {
				t.Errorf("%s: answered %s", key, got)
			}
		}
		if got := r.count(key); got != "3" {
			t.Errorf("%s is %s, want 3", key, got)
		}
	}
	for i := range 2 {
		term, err := eventTerm(fmt.Sprint("comment", i), "add_comment", []byte(`{"post_id": "hello", "comment": {"body": "Nice."}}`), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r.one(term)
	}
	if got := r.call("counts", "read", "comments:hello"); got != "2" {
		t.Errorf("%s comments, want 2", got)
	}
}

func TestReceivedEventsAreTold(t *testing.T) {
	long, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	with := func(m etf.Map, pairs ...any) etf.Map { return append(slices.Clone(m), atomMap(pairs...)...) }
	plain := visitTerm("x", "/", 1)
	for name, c := range map[string]struct {
		event etf.Term
		want  string
	}{
		"an event":                         {plain, "ok"},
		"a type that is text":              {atomMap("event_id", "x", "type", "count", "payload", atomMap("name", "a", "key", "b", "delta", 1)), "ok"},
		"a counter's name that is an atom": {atomMap("event_id", "x", "type", etf.Atom("count"), "payload", atomMap("name", etf.Atom("a"), "key", "b", "delta", 1)), "ok"},
		"more than is needed":              {with(plain, "inserted_at", etf.Atom("nil"), "source", 7), "ok"},
		"a place":                          {with(plain, "source", "s", "epoch", 0, "seq", 1), "ok"},
		"a source that is an atom":         {with(plain, "source", etf.Atom("s"), "epoch", 1, "seq", 1), "ok"},
		"no map":                           {etf.Atom("event"), "{error,bad_event}"},
		"a map with text for keys":         {etf.Map{{Key: "event_id", Value: "x"}}, "{error,bad_event}"},
		"no id":                            {atomMap("type", etf.Atom("count"), "payload", atomMap()), "{error,bad_event}"},
		"an id that is no text":            {atomMap("event_id", 7, "type", etf.Atom("count"), "payload", atomMap()), "{error,bad_event}"},
		"an id that is empty":              {visitTerm("", "/", 1), "{error,bad_event}"},
		"a payload that is no map":         {atomMap("event_id", "x", "type", etf.Atom("increment_visit"), "payload", etf.List{}), "{error,bad_event}"},
		"an unknown type":                  {atomMap("event_id", "x", "type", etf.Atom("ping"), "payload", atomMap()), "{error,unknown_event_type}"},
		"no page":                          {atomMap("event_id", "x", "type", etf.Atom("increment_visit"), "payload", atomMap("delta", 1)), "{error,bad_event}"},
		"no delta":                         {atomMap("event_id", "x", "type", etf.Atom("update_likes"), "payload", atomMap("post_id", "p")), "{error,bad_event}"},
		"a delta that is a float":          {atomMap("event_id", "x", "type", etf.Atom("update_likes"), "payload", atomMap("post_id", "p", "delta", 1.0)), "{error,bad_event}"},
		"a delta beyond 64 bits":           {atomMap("event_id", "x", "type", etf.Atom("update_likes"), "payload", atomMap("post_id", "p", "delta", long)), "{error,bad_event}"},
		"no comment":                       {atomMap("event_id", "x", "type", etf.Atom("add_comment"), "payload", atomMap("post_id", "p")), "{error,bad_event}"},
		"a key over two lines":             {visitTerm("x", "a\nb", 1), "{error,bad_event}"},
		"a name with a colon":              {atomMap("event_id", "x", "type", etf.Atom("count"), "payload", atomMap("name", "a:b", "key", "c", "delta", 1)), "{error,bad_event}"},
		"a place of which a part is text":  {with(plain, "source", "s", "epoch", "1", "seq", 1), "{error,bad_event}"},
		"a number below 0":                 {with(plain, "source", "s", "epoch", 1, "seq", -1), "{error,bad_event}"},
		"a source that is a number":        {with(plain, "source", 7, "epoch", 1, "seq", 1), "{error,bad_event}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newReceiving(t).one(c.event); got != c.want {
				t.Errorf("answered %s, want %s", got, c.want)
			}
		})
	}
}

func TestABatchTellsHowFarItGot(t *testing.T) {
	r := newReceiving(t)
	list := etf.List{}
	for i := range inbox.MaxCall + 5 {
		list = append(list, visitTerm(fmt.Sprint("e", i), "/", 1))
	}
	ping := atomMap("event_id", "p", "type", etf.Atom("ping"), "payload", atomMap())
	for _, c := range []struct {
		events etf.Term
		want   string
		count  string
	}{
		{etf.List{}, "{ok,0}", "0"},
		{list[:3], "{ok,3}", "3"},
		{list[:5], "{ok,5}", "5"},
		{etf.List{list[4], list[5], ping, list[6]}, "{error,2,unknown_event_type}", "6"},
		{etf.List{ping}, "{error,0,unknown_event_type}", "6"},
		{etf.List{list[6], visitTerm("\xff", "/", 1)}, "{error,1,bad_event}", "7"},
		{list, fmt.Sprintf("{ok,%d}", inbox.MaxCall), fmt.Sprint(inbox.MaxCall)},
		{list[inbox.MaxCall:], "{ok,5}", fmt.Sprint(inbox.MaxCall + 5)},
		{etf.Atom("events"), "{error,0,bad_event}", fmt.Sprint(inbox.MaxCall + 5)},
	} {
		if got := r.many(c.events); got != c.want {
			t.Errorf("answered %s, want %s", got, c.want)
		}
		if got := r.count("visits:/"); got != c.count {
			t.Errorf("after %s: %s visits, want %s", c.want, got, c.count)
		}
	}
}

func TestOneEventFromManyCallersCountsOnce(t *testing.T) {
	r := newReceiving(t)
	var group sync.WaitGroup
	for c := range 16 {
		group.Go(func() {
			for i := range 50 {
				if got := r.one(visitTerm(fmt.Sprint("e", (i+c)%50), "/", 1)); got != "ok" {
					t.Errorf("answered %s", got)
				}
			}
		})
	}
	group.Wait()
	if got := r.count("visits:/"); got != "50" {
		t.Errorf("%s visits, want 50", got)
	}
}

func TestWhatAsksForTheWrongThingRaisesBadarg(t *testing.T) {
	r := newReceiving(t)
	for _, key := range []etf.Term{"", "visits", "visits:", ":x", etf.Atom("visits"), 7} {
		if got := r.count(key); got != "raised badarg" {
			t.Errorf("count of %v: %s", key, got)
		}
	}
	if got := r.call("erlang", "system_info", etf.Atom("otp_release")); got != `<<"ehc">>` {
		t.Errorf("otp_release: %s", got)
	}
	if got := r.call("erlang", "system_info", etf.Atom("creation")); got != "raised badarg" {
		t.Errorf("creation: %s", got)
	}
}

// As a BEAM, it says what may be called there: ehc doctor asks for the handlers.
func TestAReceiverSaysWhatItExports(t *testing.T) {
	r := newReceiving(t)
	handler := etf.Atom("Elixir.Remote.Handler")
	for _, c := range []struct {
		module, function string
		args             []etf.Term
		want             string
	}{
		{"code", "ensure_loaded", []etf.Term{handler}, "{module,'Elixir.Remote.Handler'}"},
		{"code", "ensure_loaded", []etf.Term{etf.Atom("lists")}, "{error,nofile}"},
		{"code", "ensure_loaded", []etf.Term{"lists"}, "raised badarg"},
		{"erlang", "function_exported", []etf.Term{handler, etf.Atom("one"), 1}, "true"},
		{"erlang", "function_exported", []etf.Term{handler, etf.Atom("one"), 2}, "false"},
		{"erlang", "function_exported", []etf.Term{etf.Atom("Elixir.Remote.Metrics"), etf.Atom("get_count"), 1}, "true"},
		{"erlang", "function_exported", []etf.Term{handler, 1, 1}, "raised badarg"},
	} {
		if got := r.call(c.module, c.function, c.args...); got != c.want {
			t.Errorf("%s:%s%v: %s, want %s", c.module, c.function, c.args, got, c.want)
		}
	}
}

func TestTheStoresFailuresAreTold(t *testing.T) {
	r := newReceiving(t)
	r.one(visitTerm("old", "/blog", 1))
	err := r.db.Write(t.Context(), func(tx *disk.Tx) error {
		_, err := tx.Exec("UPDATE inbox_count SET value = 9")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.one(visitTerm("new", "/blog", 1)); got != "{error,damaged}" {
		t.Errorf("damage: answered %s", got)
	}
	if got := r.many(etf.List{visitTerm("old", "/blog", 1), visitTerm("new", "/blog", 1)}); got != "{error,1,damaged}" {
		t.Errorf("damage: answered %s", got)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := r.one(visitTerm("new", "/other", 1)); got != "{error,unavailable}" {
		t.Errorf("closed: answered %s", got)
	}
	if got := r.many(etf.List{visitTerm("new", "/other", 1)}); got != "{ok,0}" {
		t.Errorf("closed: answered %s to a batch", got)
	}
	for want, err := range map[etf.Atom]error{
		"no_space":     fmt.Errorf("commit: %w", disk.ErrFull),
		"system_limit": fmt.Errorf("handle: %w", inbox.ErrTooMany),
		"bad_event":    fmt.Errorf("handle: %w", inbox.ErrInvalid),
		"unavailable":  context.Canceled,
	} {
		if got := refusalOf(err); got != want {
			t.Errorf("%v is told as %s, want %s", err, got, want)
		}
	}
}

func TestCountsAreListed(t *testing.T) {
	r := newReceiving(t)
	for _, page := range []string{"/b", "/a"} {
		r.one(visitTerm(page, page, 2))
	}
	r.one(atomMap("event_id", "l", "type", etf.Atom("update_likes"), "payload", atomMap("post_id", "a:b", "delta", -1)))
	c := &Controller{inbox: r.box}
	for key, want := range map[string]string{
		"visits:/a": "visits:/a=2 ", "visits:/c": "visits:/c=0 ", "likes:a:b": "likes:a:b=-1 ",
		"visits": "visits:/a=2 visits:/b=2 ", "visits:": "visits:/a=2 visits:/b=2 ", "comments": "",
		"": "likes:a:b=-1 visits:/a=2 ",
	} {
		limit := 100
		if key == "" {
			limit = 2
		}
		got, err := c.Counts(t.Context(), api.CountsQuery{Key: key, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Builder{}
		for _, one := range got.Counts {
			fmt.Fprintf(&text, "%s=%d ", one.Key, one.Count)
		}
		if diff := cmp.Diff(want, text.String()); diff != "" || got.More != (key == "") {
			t.Errorf("%q: more is %v: %s", key, got.More, diff)
		}
	}
	if _, err := c.Counts(t.Context(), api.CountsQuery{Key: ":/a", Limit: 1}); err == nil || !strings.Contains(err.Error(), "want NAME:KEY") {
		t.Errorf("a key without a name: %v", err)
	}
}

// FuzzReceivedEvent: whatever is taken for an event can be kept, or is refused.
func FuzzReceivedEvent(f *testing.F) {
	for _, e := range []etf.Map{
		visitTerm("x", "/blog", 1),
		atomMap("event_id", "x", "type", etf.Atom("count"), "payload", atomMap("name", "a", "key", 7, "delta", -1), "source", "s", "epoch", 1, "seq", 2),
		atomMap("event_id", "x", "type", "add_comment", "payload", atomMap("post_id", "p", "comment", atomMap())),
	} {
		b, err := etf.Encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := newReceiving(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r.t = t
		term, err := etf.Decode(b)
		if err != nil {
			return
		}
		answers := map[string]bool{"ok": true, "{error,bad_event}": true, "{error,unknown_event_type}": true, "{error,system_limit}": true}
		if got := r.one(term); !answers[got] {
			t.Fatalf("answered %s", got)
		}
	})
}
