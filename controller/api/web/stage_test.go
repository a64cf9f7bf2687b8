package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"ehc/controller/api"
)

// hostile is a name that would run, were it ever taken for HTML.
const hostile = `<img/src=x/onerror=alert(1)>`

// stage is a controller of which the test plays the facts.
type stage struct {
	api.Backend

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	revision uint64
	status   api.Status
	plan     api.Plan
	dead     []api.Event
	history  []api.HistoryEntry
}

// change plays something new.
func (s *stage) change(how func(*stage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
	s.revision++
	close(s.changed)
	s.changed = make(chan struct{})
}

// happens adds to the history. It is for change.
func (s *stage) happens(e api.HistoryEntry) {
	e.ID = uint64(len(s.history) + 1)
	e.FirstAt, e.Count = e.At, max(e.Count, 1)
	s.history = append(s.history, e)
}

func (s *stage) Status(context.Context) (api.Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, nil
}

func (s *stage) Plan(context.Context, api.PlanRequest) (api.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plan, nil
}

func (s *stage) Outbox(_ context.Context, q api.OutboxQuery) (api.Outbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := api.Outbox{Apps: s.status.Outbox, Events: []api.Event{}}
	if q.Dead {
		out.Events = append(out.Events, s.dead...)
	}
	return out, nil
}

func (s *stage) Await(ctx context.Context, seen api.Moment) api.Moment {
	for {
		s.mu.Lock()
		now, changed := api.Moment{Index: s.status.Index, Revision: s.revision}, s.changed
		s.mu.Unlock()
		if seen.Before(now) {
			return now
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now
		}
	}
}

func (s *stage) History(ctx context.Context, q api.HistoryQuery) (api.History, error) {
	limit, cancel := context.WithTimeout(ctx, q.Wait)
	defer cancel()
	for {
		s.mu.Lock()
		h, changed := api.History{Entries: []api.HistoryEntry{}, Last: uint64(len(s.history))}, s.changed
		h.Entries = append(h.Entries, s.history[min(q.After, h.Last):]...)
		s.mu.Unlock()
		if len(h.Entries) > 0 {
			return h, nil
		}
		select {
		case <-changed:
		case <-limit.Done():
			return h, nil
		}
	}
}

func condition(kind string, holds bool, reason, message string) api.Condition {
	c := api.Condition{Type: kind, Status: "True", Reason: reason, Message: message}
	if !holds {
		c.Status = "False"
	}
	return c
}

func up(app, node, release string) api.Node {
	return api.Node{Node: node, App: app, Phase: "up", Since: time.Now().Add(-3 * time.Hour), Creation: 7, Release: release, Listed: true,
		Conditions: []api.Condition{}}
}

func down(app, node, reason, message string) api.Node {
	return api.Node{Node: node, App: app, Phase: "down", Since: time.Now().Add(-2 * time.Minute), Reason: reason, Message: message, Listed: true,
		Conditions: []api.Condition{}}
}

// well is a cluster in which all is as it should be.
func well() *stage {
	now := time.Now()
	s := &stage{changed: make(chan struct{}), revision: 1}
	s.status = api.Status{
		Index: 418, Node: "ehc-148e445a0d@fdaa:0:18:a7b:7d:2:9c1f:2", Cookie: "cookie:3e971b62", Version: "v0.9.0",
		Config: api.Config{File: "/etc/ehc/cluster.hcl", AppliedAt: now.Add(-time.Hour), Generation: 3},
		Nodes: []api.Node{
			up("phoenix", "phoenix-01JDQ8V0Y2@fdaa:0:18:a7b:2f:1:5a3c:2", "27"),
			up("phoenix", "phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2", "27"),
			up("event_horizon", "event_horizon-01JDP7@fdaa:0:18:a7b:16b:9:c1f0:2", "26"),
		},
		Apps: []api.App{
			{App: "event_horizon", Conditions: []api.Condition{condition("Discovered", true, "Listed", ""), condition("Connected", true, "Connected", "1 of 1")}},
			{App: "phoenix", Conditions: []api.Condition{condition("Connected", true, "Connected", "2 of 2"), condition("Drained", true, "Drained", "")}},
		},
		Outbox: []api.OutboxApp{{App: "phoenix"}},
	}
	s.plan = api.Plan{Index: 418, Actions: []api.Action{}, Held: []api.Hold{}}
	s.happens(api.HistoryEntry{At: now.Add(-4 * time.Hour), Kind: "Started", Message: "ehc v0.9.0"})
	for _, n := range s.status.Nodes {
		s.happens(api.HistoryEntry{At: now.Add(-3 * time.Hour), Kind: "Connected", App: n.App, Node: n.Node, Message: "connected"})
	}
	return s
}

// trouble is one with everything in it that a person may have to look at.
func trouble() *stage {
	now := time.Now()
	s := well()
	s.status.Nodes = append(s.status.Nodes,
		down("phoenix", "phoenix-01JDQ8V0Y9@fdaa:0:18:a7b:2f:3:77aa:2", "CookieRejected", "cookie rejected"),
		down("media", hostile+"@fdaa:0:18:a7b:2f:4:1:2", "Unreachable", "unreachable"),
		api.Node{Node: "phoenix-01JDA0OLD1@fdaa:0:18:a7b:2f:9:2:2", App: "phoenix", Phase: "up", Since: now.Add(-26 * time.Hour), Release: "27",
			Conditions: []api.Condition{}},
		api.Node{Node: "remsh-aayush@fdaa:0:18:a7b:2f:5:3:2", Phase: "up", Since: now.Add(-40 * time.Second), Conditions: []api.Condition{}},
	)
	for i := range 14 {
		s.status.Nodes = append(s.status.Nodes, up("search", fmt.Sprintf("search-01JDR%02d@fdaa:0:18:a7b:aa:%x:1:2", i, i), "28"))
	}
	s.status.Nodes = append(s.status.Nodes, down("search", "search-01JDR99@fdaa:0:18:a7b:aa:ff:1:2", "NotListed", "not listed in EPMD"))
	s.status.Apps = []api.App{
		s.status.Apps[0],
		{App: "media", Conditions: []api.Condition{
			condition("Discovered", false, "LookupFailed", "media.internal: SERVFAIL from [fdaa::3]:53"),
			condition("Connected", false, "NotConnected", "0 of 1; unreachable"),
		}},
		{App: "phoenix", Conditions: []api.Condition{
			condition("Connected", false, "NotConnected", "2 of 3; phoenix-01JDQ8V0Y9: cookie rejected"),
			condition("Drained", false, "Waiting", "events wait"),
		}},
		{App: "search", Conditions: []api.Condition{
			condition("Connected", false, "NotConnected", "14 of 15; not listed in EPMD"),
			condition("Drained", false, "HandlerRaised", "raised error: badarg"),
		}},
	}
	s.status.Outbox = []api.OutboxApp{
		{App: "phoenix", Pending: 12840, Bytes: 1 << 21, Oldest: now.Add(-95 * time.Second)},
		{App: "search", Pending: 311, Dead: 2, Bytes: 54321, Oldest: now.Add(-11 * time.Minute), Reason: "HandlerRaised", Message: "raised error: badarg"},
	}
	s.status.Config.RestartRequired = []string{"node.tick"}
	s.status.Warnings = []string{"the data folder is not on a volume of its own"}
	s.plan = api.Plan{Index: 418, Actions: []api.Action{
		{Kind: "prune", Node: "phoenix-01JDA0OLD1@fdaa:0:18:a7b:2f:9:2:2", App: "phoenix", Reason: "no longer listed"},
		{Kind: "connect", Node: "search-01JDR99@fdaa:0:18:a7b:aa:ff:1:2", App: "search", Reason: "listed, not connected"},
		{Kind: "drain", Node: "phoenix-01JDQ8V0Y2@fdaa:0:18:a7b:2f:1:5a3c:2", App: "phoenix", Reason: "events wait"},
	}, Held: []api.Hold{{Node: hostile + "@fdaa:0:18:a7b:2f:4:1:2", App: "media", Reason: "query media.internal failed: SERVFAIL from [fdaa::3]:53", Prune: true}}}
	s.dead = []api.Event{
		{ID: "01JDR7W3M0X8", App: "search", Seq: 41, Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"</pre><script>alert(2)</script>","delta":1}`),
			Tries: 20, Error: "raised error: {badmatch, " + hostile + "}", Reason: "HandlerRaised", DiedAt: now.Add(-9 * time.Minute)},
		{ID: "01JDR7W3M0X9", App: "search", Seq: 44, Type: "poke", Payload: json.RawMessage(`{}`), Tries: 1,
			Error: "refused: unknown_event_type", Reason: "UnknownEventType", DiedAt: now.Add(-5 * time.Minute)},
	}
	s.happens(api.HistoryEntry{At: now.Add(-11 * time.Minute), Kind: "DrainFailed", Warning: true, App: "search", Node: "search-01JDR00@fdaa:0:18:a7b:aa:0:1:2", Reason: "HandlerRaised", Message: "raised error: badarg", Count: 20})
	s.happens(api.HistoryEntry{At: now.Add(-9 * time.Minute), Kind: "DeadLetter", Warning: true, App: "search", Reason: "HandlerRaised", Message: "01JDR7W3M0X8"})
	s.happens(api.HistoryEntry{At: now.Add(-2 * time.Minute), Kind: "LookupFailed", Warning: true, App: "media", Message: "media.internal: SERVFAIL from [fdaa::3]:53", Count: 24})
	s.happens(api.HistoryEntry{At: now.Add(-2 * time.Minute), Kind: "DialFailed", Warning: true, App: "phoenix", Node: "phoenix-01JDQ8V0Y9@fdaa:0:18:a7b:2f:3:77aa:2", Reason: "CookieRejected", Message: "cookie rejected", Count: 7})
	s.happens(api.HistoryEntry{At: now.Add(-40 * time.Second), Kind: "Connected", Node: hostile + "@x", Message: hostile})
	return s
}
