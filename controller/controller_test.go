package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/controller/discover"
	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

const worldText = `
node {
  name   = "ehc@127.0.0.1"
  cookie = env("COOKIE")
}
peer "a" {
  queries = ["a.internal"]
  deliver {}
  prune { after = "30s" }
}
`

// listing is a Discovery that answers with what a test says; a query it does not
// know has failed.
type listing struct {
	store *state.Store // for what Set has looked up
	first func()       // called before a lookup that Once makes; may be nil

	mu    sync.Mutex
	nodes map[string][]state.Node
	polls map[string]bool // by query; nil before the first Set
	asked map[string]int  // by query, lookups
}

// Set has looked up at once what is new. What it is given at the start is the test's
// to look up.
func (l *listing) Set(apps []state.App, _ state.DNSSpec) {
	l.mu.Lock()
	defer l.mu.Unlock()
	polls := map[string]bool{}
	for _, a := range apps {
		for _, q := range a.Queries {
			polls[q.Text] = true
			if l.polls == nil || l.polls[q.Text] {
				continue
			}
			go func() {
				if err := l.look(l.store, a.Name, q.Text); err != nil {
					panic(err)
				}
			}()
		}
	}
	l.polls = polls
}

func (l *listing) Once(_ context.Context, store discover.Recorder, apps []state.App, _ state.DNSSpec) error {
	if l.first != nil {
		l.first()
	}
	var errs []error
	for _, a := range apps {
		for _, q := range a.Queries {
			errs = append(errs, l.look(store, a.Name, q.Text))
		}
	}
	return errors.Join(errs...)
}

func (l *listing) look(store discover.Recorder, app, query string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[query]++
	nodes, ok := l.nodes[query]
	if !ok {
		return store.RecordFailure(app, query, "SERVFAIL from [fdaa::3]:53")
	}
	var a state.Answer
	for _, n := range nodes {
		a.Found = append(a.Found, state.Found{Node: n, Addr: netip.MustParseAddr("127.0.0.1")})
	}
	return store.RecordAnswer(app, query, a, time.Now())
}

// world is a controller on a network in memory.
type world struct {
	t     *testing.T
	net   *transporttest.Network
	ctl   *Controller
	look  *listing
	store *state.Store
	db    *disk.DB
	door  *Door
	meter *telemetry.Meter
	log   state.LogSpec // as it was last set
	said  *said

	topics *Topics

	got   []string // ids, in the order of arrival
	calls []int    // of the batch handler: how many events
	mu    sync.Mutex
}

// newWorld starts a controller, inside the bubble of the calling test.
func newWorld(t *testing.T) *world { return newWorldOf(t, worldText) }

func newWorldOf(t *testing.T, text string) *world {
	w := &world{t: t, net: transporttest.NewNetwork(), look: &listing{nodes: map[string][]state.Node{}, asked: map[string]int{}}}
	p := newPlace(t)
	p.write(text)
	var err error
	if w.store, err = state.New(); err != nil {
		t.Fatal(err)
	}
	w.look.store = w.store
	config := p.mustOpen()
	db, err := disk.Open(t.Context(), p.data)
	if err != nil {
		t.Fatal(err)
	}
	w.db = db
	box, err := outbox.Open(t.Context(), db, config.Spec().Outbox)
	if err != nil {
		t.Fatal(err)
	}
	w.said = &said{}
	log := hclog.New(&hclog.LoggerOptions{Output: w.said, DisableTime: true})
	w.meter = telemetry.NewMeter("test", "go")
	box.OnEvents(w.meter.Events)
	links := NewLinks(w.store, log, w.meter, nil)
	dialer := w.net.Dialer("ehc@127.0.0.1", links, transport.NewCookie("hush"))
	w.door = NewDoor(log, w.meter)
	w.topics = NewTopics(w.store, log, w.meter)
	dialer.Listen(w.topics)
	w.ctl, err = New(Options{
		Store: w.store, Box: box, Dialer: dialer, Prober: dialer, Links: links, Topics: w.topics, PubSub: dialer,
		Config: config, Discovery: w.look, Log: log, Version: "test", Door: w.door,
		Meter: w.meter, SetLog: func(s state.LogSpec) { w.log = s },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.ctl.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.net.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// peer adds a node whose handler takes every event for which answer, if it is
// not nil, gives nil.
func (w *world) peer(name string, answer func(id string) error) *transporttest.Node {
	n := w.net.Add(name)
	n.Handle(transport.Function{Module: "Elixir.EventHorizon.Remote.Handler", Name: "handle_buffered_event", Arity: 1},
		func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			v, _ := args[0].(etf.Map).Get(etf.Atom("event_id"))
			id := v.(string)
			w.mu.Lock()
			defer w.mu.Unlock()
			if answer != nil {
				if err := answer(id); err != nil {
					return etf.Tuple{etf.Atom("error"), etf.Atom(err.Error())}, nil
				}
			}
			w.got = append(w.got, id)
			return etf.Atom("ok"), nil
		})
	w.release(n)
	return n
}

// list lets discovery find these nodes of app a.
func (w *world) list(nodes ...state.Node) {
	w.t.Helper()
	w.look.mu.Lock()
	w.look.nodes["a.internal"] = nodes
	w.look.mu.Unlock()
	if err := w.look.look(w.store, "a", "a.internal"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) emit(n int) []string {
	w.t.Helper()
	var events []api.Event
	for range n {
		events = append(events, api.Event{Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/","delta":1}`)})
	}
	answer, err := w.ctl.Emit(w.t.Context(), api.EmitRequest{Events: events})
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.IDs
}

// settle lets everything happen that needs no more time than d.
func (w *world) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) arrived() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

func (w *world) status() api.Status {
	w.t.Helper()
	s, err := w.ctl.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) condition(kind string) api.Condition {
	for _, c := range w.status().Apps[0].Conditions {
		if c.Type == kind {
			return c
		}
	}
	return api.Condition{}
}

func TestAListedNodeIsConnectedResyncedAndDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		if c := w.condition("Connected"); c.Status != "False" || c.Reason != "NoNodes" {
			t.Errorf("with no node listed: %+v", c)
		}
		before := w.emit(3)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		after := w.emit(2) // emitted while connected: leaves at once
		w.settle(time.Second)
		if diff := cmp.Diff(append(before, after...), w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		n := w.status().Nodes[0]
		if n.Phase != "up" || n.Release != "25" || !n.Listed {
			t.Errorf("node = %+v", n)
		}
		for _, kind := range []string{"Discovered", "Connected", "Synced", "Drained"} {
			if c := w.condition(kind); c.Status != "True" {
				t.Errorf("condition = %+v", c)
			}
		}
	})
}

func TestARefusedDialIsTriedAgainEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		p.Refuse(transport.ErrCookie)
		w.list("a1@127.0.0.1")
		w.settle(10 * time.Minute)
		if n := p.Dials(); n < 20 || n > 60 {
			t.Errorf("%d dials in ten minutes", n)
		}
		if n := w.status().Nodes[0]; n.Reason != "CookieRejected" || n.Message != "cookie rejected" || n.Phase != "down" {
			t.Errorf("node = %+v", n)
		}
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{})
		if err != nil || len(plan.Held)+len(plan.Actions) != 1 || !strings.Contains(fmt.Sprint(plan), "cookie rejected") {
			t.Errorf("plan = %+v, %v", plan, err)
		}
		p.Refuse(nil)
		w.settle(time.Minute)
		if n := w.status().Nodes[0]; n.Phase != "up" || n.Reason != "" {
			t.Errorf("node = %+v", n)
		}
	})
}

func TestAFailingHandlerStopsTheQueueInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bad, tries := "", 0
		w.peer("a1@127.0.0.1", func(id string) error {
			if id == bad {
				tries++
				return errors.New("no_disk")
			}
			return nil
		})
		ids := w.emit(300) // more than one batch
		w.mu.Lock()
		bad = ids[270]
		w.mu.Unlock()
		w.list("a1@127.0.0.1")
		w.settle(4 * time.Minute) // fewer tries than bury it
		if diff := cmp.Diff(ids[:270], w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
		q := w.status().Outbox[0]
		if q.Pending != 30 || q.Reason != "HandlerRefused" || !strings.Contains(q.Message, "{error,no_disk}") {
			t.Errorf("queue = %+v", q)
		}
		o, err := w.ctl.Outbox(t.Context(), api.OutboxQuery{App: "a", Limit: 1})
		if err != nil || len(o.Events) != 1 || o.Events[0].ID != ids[270] || o.Events[0].Tries != tries || o.Events[0].Error == "" {
			t.Errorf("after %d tries the outbox is %+v, %v", tries, o, err)
		}
		w.mu.Lock()
		bad = ""
		w.mu.Unlock()
		w.settle(2 * time.Minute)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
	})
}

func TestALostConnectionKeepsWhatWaitsAndTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		p.Kill()
		w.settle(time.Second)
		ids := w.emit(10)
		w.settle(time.Minute)
		if len(w.arrived()) != 0 || w.status().Outbox[0].Pending != 10 {
			t.Errorf("arrived %v, queue %+v", w.arrived(), w.status().Outbox)
		}
		p.Restart()
		w.settle(time.Minute)
		if diff := cmp.Diff(ids, w.arrived()); diff != "" {
			t.Errorf("arrived -want +got:\n%s", diff)
		}
	})
}

func TestOnlyAnAnswerWithNodesPrunes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		w.peer("a2@127.0.0.1", nil)
		w.list("a1@127.0.0.1", "a2@127.0.0.1")
		w.settle(time.Second)
		up := func() (n int) {
			for _, c := range w.store.Snapshot().Conns() {
				if c.Phase == state.Up {
					n++
				}
			}
			return n
		}
		if err := w.store.RecordFailure("a", "a.internal", "SERVFAIL"); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Hour)
		if up() != 2 {
			t.Errorf("a failure left %d of 2 up", up())
		}
		w.list("a1@127.0.0.1")
		w.settle(29 * time.Second)
		if up() != 2 {
			t.Error("pruned within the grace")
		}
		w.settle(2 * time.Second)
		if up() != 1 {
			t.Errorf("after the grace %d are up, want 1", up())
		}
		w.list()
		w.settle(time.Hour)
		if up() != 1 {
			t.Error("an empty answer pruned")
		}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{PruneHeld: true}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		if up() != 0 {
			t.Error("an approved prune was not done")
		}
	})
}

func TestAPlanOfAnotherFileTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.look.nodes["b.internal"] = []state.Node{"b1@127.0.0.1"}
		more := worldText + `peer "b" { queries = ["b.internal"] }`
		first, err := w.ctl.Plan(t.Context(), api.PlanRequest{File: "more.hcl", Text: more})
		if err != nil {
			t.Fatal(err)
		}
		want := []api.Action{{Kind: "connect", Node: "b1@127.0.0.1", App: "b", Reason: "listed, not connected"}}
		if diff := cmp.Diff(want, first.Actions); diff != "" {
			t.Errorf("actions -want +got:\n%s", diff)
		}
		w.settle(time.Minute)
		if n := len(w.status().Apps); n != 1 {
			t.Errorf("a plan put %d apps in force", n)
		}
		var problem *api.Problem
		_, err = w.ctl.Apply(t.Context(), api.ApplyRequest{File: "more.hcl", Text: more, CheckIndex: first.Index + 1})
		if !errors.As(err, &problem) || problem.Status != 409 {
			t.Errorf("apply at another index: %v", err)
		}
		applied, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "more.hcl", Text: more, CheckIndex: first.Index})
		if err != nil || len(applied.Plan.Actions) != 1 {
			t.Errorf("apply: %+v, %v", applied, err)
		}
		_, err = w.ctl.Plan(t.Context(), api.PlanRequest{File: "bad.hcl", Text: "peer {"})
		if !errors.As(err, &problem) || problem.Status != 422 || len(problem.Diagnostics) == 0 || problem.Diagnostics[0].File != "bad.hcl" {
			t.Errorf("plan of a broken file: %v", err)
		}
	})
}
