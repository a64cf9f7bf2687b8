package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// at is when everything of a fake happened.
func at() time.Time { return time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC) }

// fake is a Backend that answers with every field filled.
type fake struct{ Backend }

func fakePlan() Plan {
	return Plan{
		Index:           418,
		Actions:         []Action{{Kind: "prune", Node: "a1@127.0.0.1", App: "a", Reason: "no longer listed"}},
		Held:            []Hold{{Node: "a2@127.0.0.1", App: "a", Reason: "query a.internal failed", Prune: true, PruneAt: at()}},
		Generation:      2,
		StartedAt:       at(),
		Target:          "a",
		Changes:         []Change{{Op: "change", Block: `peer "a"`, Settings: []string{"queries"}}},
		Probes:          []Probe{{Node: "a3@127.0.0.1", App: "a", Reason: "CookieRejected", Message: "would not connect"}},
		RestartRequired: []string{"node.name"},
		Suspended:       []string{"a"},
		Warnings:        []string{"cluster.hcl:3: cookie in the file"},
	}
}

func fakeQueue() OutboxApp {
	return OutboxApp{
		App: "a", Pending: 3, Dead: 1, Bytes: 99, Oldest: at(), RetryAt: at(),
		Reason: "HandlerUndefined", Message: "undef",
	}
}

func fakeConditions() []Condition {
	return []Condition{{Type: "Synced", Status: "Unknown", Reason: "X", Message: "m", Since: at(), ObservedGeneration: 2}}
}

func fakeEvents() []Event {
	return []Event{
		{ID: "01J", Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/"}`), App: "a", Seq: 7, InsertedAt: at(), Tries: 2, Error: "raised"},
		{ID: "01K", Type: "x", Payload: json.RawMessage(`{}`), App: "a", Seq: 8, InsertedAt: at(), Reason: "HandlerRefused", DiedAt: at()},
	}
}

func (fake) Status(context.Context) (Status, error) {
	return Status{
		Index: 418, Node: "ehc@127.0.0.1", Cookie: "4f1c", Version: "v1",
		Config: Config{File: "/c.hcl", AppliedAt: at(), Generation: 2, Error: "line 3", RestartRequired: []string{"node.name"}},
		Nodes: []Node{
			{Node: "a1@127.0.0.1", App: "a", Phase: "up", Since: at(), Creation: 1, Release: "27", Listed: true, Conditions: fakeConditions()},
			{Node: "a2@127.0.0.1", Phase: "down", Reason: "CookieRejected", Message: "cookie rejected", RetryAt: at(), Conditions: []Condition{}},
		},
		Apps:      []App{{App: "a", Conditions: fakeConditions()}},
		Outbox:    []OutboxApp{fakeQueue()},
		Suspended: []Suspension{{App: "a", Since: at()}},
		Warnings:  []string{"not on a volume"},
	}, nil
}

func (fake) Plan(_ context.Context, r PlanRequest) (Plan, error) {
	if r.Text == "faulty" {
		p := NewProblem(http.StatusUnprocessableEntity, "a fault")
		p.Diagnostics = []Diagnostic{{Severity: "error", Summary: "s", Detail: "d", File: "f", Line: 1, Column: 2, Text: "t"}}
		return Plan{}, p
	}
	return fakePlan(), nil
}

func (fake) Apply(_ context.Context, r ApplyRequest) (Applied, error) {
	if r.CheckIndex == 1 {
		return Applied{}, NewProblem(http.StatusConflict, "plan again")
	}
	return Applied{Plan: fakePlan()}, nil
}

func (fake) Log(context.Context) (Log, error) { return Log{Level: "info", Format: "text"}, nil }

func (fake) SetLog(_ context.Context, l Log) (Log, error) {
	return Log{Level: "debug", Format: l.Format}, nil
}

func (fake) Suspend(_ context.Context, r SuspendRequest) (Suspensions, error) {
	if r.App == "nobodys" {
		return Suspensions{}, NewProblem(http.StatusNotFound, "there is no peer block")
	}
	return Suspensions{Suspended: []Suspension{{App: r.App, Since: at()}}, Changed: true}, nil
}

func (fake) Doctor(context.Context, string) (Examination, error) {
	return Examination{Findings: []Finding{
		{Level: "ok", Check: "Cookie", Message: "strong"},
		{Level: "failure", Check: "Handshake", App: "a", Node: "a1@127.0.0.1", Reason: "CookieRejected", Message: "cookie rejected", Fix: "fly secrets set"},
	}}, nil
}

func (fake) Resume(context.Context, SuspendRequest) (Suspensions, error) {
	return Suspensions{Suspended: []Suspension{}, Changed: true}, nil
}

func (fake) Emit(_ context.Context, r EmitRequest) (Emitted, error) {
	out := Emitted{IDs: []string{}, Outcomes: []string{}, Delivered: r.Wait == "delivered"}
	for _, e := range r.Events {
		if e.Type == "full" {
			return Emitted{}, NewProblem(http.StatusTooManyRequests, "queue of a is full")
		}
		out.IDs, out.Outcomes = append(out.IDs, e.ID), append(out.Outcomes, OutcomeBuffered)
	}
	return out, nil
}

func (fake) Outbox(context.Context, OutboxQuery) (Outbox, error) {
	return Outbox{Moment: Moment{418, 7}, Apps: []OutboxApp{fakeQueue()}, Events: fakeEvents()}, nil
}

func (fake) Retry(context.Context, OutboxSelection) (OutboxChange, error) {
	return OutboxChange{Events: 1}, nil
}

func (fake) Drop(context.Context, OutboxSelection) (OutboxChange, error) {
	return OutboxChange{Events: 1}, nil
}

func (fake) Counts(context.Context, CountsQuery) (Counts, error) {
	return Counts{Counts: []Count{{Key: "visits:/blog", Count: 3}}, More: true, Node: "a@h"}, nil
}

func (fake) Call(_ context.Context, r CallRequest) (Called, error) {
	if r.Function == "m.raise" {
		p := NewProblem(502, "raised error: badarg").Because(ReasonRemote)
		p.Remote = &RemoteError{Node: "a@h", Class: "error", Reason: "badarg", Value: json.RawMessage(`"badarg"`), Stack: []string{"m.raise/0"}}
		return Called{}, p
	}
	return Called{Node: "a@h", Value: json.RawMessage(`["ok",5]`), Text: "{ok,5}"}, nil
}

// topicFeed has a gap and two messages; then it ends.
type topicFeed struct {
	told   int
	closed chan struct{} // may be nil
}

func (f *topicFeed) Close() {
	if f.closed != nil {
		close(f.closed)
	}
}

func (f *topicFeed) Next(context.Context) (TopicBatch, error) {
	if f.told++; f.told == 1 {
		return TopicBatch{Lost: Lost{Count: 3, Forgotten: true}, Messages: []TopicMessage{
			{ID: "x-7", At: at(), Server: "A.PubSub", Topic: "metrics:x", Node: "a1@127.0.0.1", Message: json.RawMessage(`["hello",1]`)},
			{ID: "x-8", At: at(), Server: "A.PubSub", Topic: "metrics:x", Node: "a1@127.0.0.1", Event: "visit", Message: json.RawMessage(`{"n":1}`)},
		}}, nil
	}
	return TopicBatch{}, ErrEnded
}

func (fake) Topics(_ context.Context, q TopicQuery) (TopicReader, error) {
	if q.Topic == "secret" {
		return nil, NewProblem(http.StatusUnprocessableEntity, "topic is not kept")
	}
	return &topicFeed{}, nil
}

func (fake) Broadcast(_ context.Context, r BroadcastRequest) (Broadcasted, error) {
	if r.Topic == "nobodys" {
		return Broadcasted{}, NewProblem(http.StatusUnprocessableEntity, "no pubsub block")
	}
	return Broadcasted{Server: "A.PubSub", Nodes: 2, Failed: []string{"a3@h: connection lost"}}, nil
}

func (fake) Await(context.Context, Moment) Moment { return Moment{Index: 418, Revision: 7001} }

// History has two entries, and a third that comes by waiting; what was before 5 is
// forgotten.
func (fake) History(ctx context.Context, q HistoryQuery) (History, error) {
	all := []HistoryEntry{
		{ID: 5, At: at(), FirstAt: at(), Count: 1, Kind: "Connected", App: "a", Node: "a1@127.0.0.1", Message: "connected"},
		{ID: 6, At: at(), FirstAt: at(), Count: 3, Kind: "Disconnected", Warning: true, App: "a", Node: "a1@127.0.0.1", Reason: "TickTimeout", Message: "silent"},
		{ID: 7, At: at(), FirstAt: at(), Count: 1, Kind: "LookupFailed", Warning: true, App: "b", Message: "SERVFAIL"},
	}
	if q.Wait == 0 {
		all = all[:2]
	}
	h := History{Entries: []HistoryEntry{}, Last: q.After, Missed: q.After > 0 && q.After < 4}
	for _, e := range all {
		if e.ID > q.After && (q.App == "" || q.App == e.App) && (q.Node == "" || q.Node == e.Node) {
			h.Entries, h.Last = append(h.Entries, e), e.ID
		}
	}
	if q.Wait > 0 && len(h.Entries) == 0 {
		<-ctx.Done() // the reader has had enough
		return h, ctx.Err()
	}
	return h, nil
}

// machines is ready at every second question.
type machines struct{ asked int }

func (m *machines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.URL.Path == "/readyz" {
		if m.asked++; m.asked%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	_, _ = w.Write([]byte("ok\n"))
}
