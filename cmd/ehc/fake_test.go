package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"ehc/controller/api"
)

// scene is how things stand at a fake controller, and what comes of an apply.
type scene struct {
	Status api.Status `json:"status"`
	Plan   api.Plan   `json:"plan"`
	Outbox api.Outbox `json:"outbox"`
	// Dead are the dead letters.
	Dead   []api.Event `json:"dead"`
	Counts api.Counts  `json:"counts"`
	// Findings are the doctor's.
	Findings []api.Finding `json:"findings"`
	Called   api.Called    `json:"called"`
	// Topics is what a subscription gets, one after the other.
	Topics      []api.TopicBatch `json:"topics"`
	Broadcasted api.Broadcasted  `json:"broadcasted"`

	// Events are the history.
	Events []api.HistoryEntry `json:"events"`

	// Refuse is the answer to a request that gives a file, and to a call.
	Refuse *api.Problem `json:"refuse"`
	// Moves makes the first apply come too late: this scene is on by then.
	Moves *scene `json:"moves"`
	// Then is on once an apply has been taken.
	Then *scene `json:"then"`
	// Undelivered says that no app takes an event in time.
	Undelivered bool `json:"undelivered"`
	// Became is what becomes of events, by id, where that is not delivery.
	Became map[string]string `json:"became"`
	// Silent says that an apply or an emit gets no answer.
	Silent bool `json:"silent"`
}

// fake is a controller that plays scenes and keeps what it was asked.
type fake struct {
	mu       sync.Mutex
	now      scene
	asked    []string      // "apply {…}", in order, but for status and outbox
	taken    bool          // an apply was
	followed chan struct{} // closed when the status is asked for after that
	told     bool          // followed is closed
	held     chan struct{} // one for each request that gets no answer
	minted   int
	waiting  int           // requests that wait for another scene
	scenes   uint64        // how many there have been
	changed  chan struct{} // closed when another scene begins
	log      api.Log
}

func newFake(s scene) *fake {
	return &fake{now: s, followed: make(chan struct{}), held: make(chan struct{}, 16), scenes: 1, changed: make(chan struct{})}
}

func (f *fake) set(s scene) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.held) > 0 {
		<-f.held
	}
	f.now, f.asked, f.taken, f.told, f.followed = s, nil, false, false, make(chan struct{})
	f.scenes++
	f.waiting = 0
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) isFollowed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.followed
}

// isSilent says whether a request is to get no answer; then it tells of that on
// held, for a script that waits.
func (f *fake) isSilent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now.Silent {
		f.held <- struct{}{}
	}
	return f.now.Silent
}

func (f *fake) note(what string, request any) {
	b, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	f.asked = append(f.asked, what+" "+string(b))
}

func (f *fake) Status(context.Context) (api.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken && !f.told {
		f.told = true
		close(f.followed)
	}
	return f.now.Status, nil
}

func (f *fake) Plan(_ context.Context, r api.PlanRequest) (api.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.File = shortName(r.File)
	f.note("plan", r)
	if f.now.Refuse != nil && r.Text != "" {
		return api.Plan{}, f.now.Refuse
	}
	return f.now.Plan, nil
}

func (f *fake) Apply(ctx context.Context, r api.ApplyRequest) (api.Applied, error) {
	if f.isSilent() {
		<-ctx.Done()
		return api.Applied{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.File = shortName(r.File)
	f.note("apply", r)
	if f.now.Moves != nil {
		f.now = *f.now.Moves
	}
	if r.CheckIndex != 0 && r.CheckIndex != f.now.Plan.Index {
		return api.Applied{}, api.NewProblem(http.StatusConflict,
			"the plan was made at index %d, and the controller is at %d: plan again", r.CheckIndex, f.now.Plan.Index)
	}
	done := api.Applied{Plan: f.now.Plan}
	if f.now.Then != nil {
		f.now = *f.now.Then
	}
	f.taken = true
	return done, nil
}

func (f *fake) Doctor(_ context.Context, app string) (api.Examination, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("doctor", app)
	return api.Examination{Findings: f.now.Findings}, nil
}

// Log is about the log, which a fake only talks of.
func (f *fake) Log(context.Context) (api.Log, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logs(), nil
}

func (f *fake) logs() api.Log {
	return api.Log{Level: cmp.Or(f.log.Level, "info"), Format: cmp.Or(f.log.Format, "text")}
}

func (f *fake) SetLog(_ context.Context, l api.Log) (api.Log, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.Level == "loud" {
		return api.Log{}, api.NewProblem(http.StatusBadRequest, "level %q: want trace, debug, info, warn or error", l.Level)
	}
	f.note("log", l)
	f.log = api.Log{Level: cmp.Or(l.Level, f.log.Level), Format: cmp.Or(l.Format, f.log.Format)}
	return f.logs(), nil
}

func (f *fake) Suspend(_ context.Context, r api.SuspendRequest) (api.Suspensions, error) {
	return f.halt("suspend", r, []api.Suspension{{App: r.App}})
}

func (f *fake) Resume(_ context.Context, r api.SuspendRequest) (api.Suspensions, error) {
	return f.halt("resume", r, []api.Suspension{})
}

// halt has the suspended apps be these.
func (f *fake) halt(what string, r api.SuspendRequest, then []api.Suspension) (api.Suspensions, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(what, r)
	if r.App == "nobodys" {
		return api.Suspensions{}, api.NewProblem(http.StatusNotFound, "there is no peer block %q: the file in force has phoenix", r.App)
	}
	changed := len(f.now.Status.Suspended) != len(then)
	f.now.Status.Suspended = then
	return api.Suspensions{Suspended: then, Changed: changed}, nil
}

// ulid is what an id looks like that nobody chose.
var ulid = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)

func (f *fake) Emit(ctx context.Context, r api.EmitRequest) (api.Emitted, error) {
	if f.isSilent() {
		<-ctx.Done()
		return api.Emitted{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Events = slices.Clone(r.Events)
	for i := range r.Events {
		if ulid.MatchString(r.Events[i].ID) { // the client's, another at each run
			r.Events[i].ID = ""
		}
	}
	f.note("emit", r)
	out := api.Emitted{IDs: []string{}}
	for _, e := range r.Events {
		if e.Type == "refused" {
			return api.Emitted{}, api.NewProblem(http.StatusTooManyRequests, "outbox of phoenix is full: 2 of 2 events")
		}
		if e.Type == "unfinished" { // as one that stops answers
			return api.Emitted{}, context.Canceled
		}
		if e.ID == "" {
			f.minted++
			e.ID = fmt.Sprintf("minted-%d", f.minted)
		}
		out.IDs = append(out.IDs, e.ID)
	}
	out.Delivered = r.Wait != api.WaitDurable && !f.now.Undelivered && len(f.now.Became) == 0
	for _, id := range out.IDs {
		otherwise := api.OutcomeBuffered
		if out.Delivered {
			otherwise = api.OutcomeDelivered
		}
		out.Outcomes = append(out.Outcomes, orElse(f.now.Became[id], otherwise))
	}
	return out, nil
}

func (f *fake) Outbox(_ context.Context, q api.OutboxQuery) (api.Outbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("outbox", map[string]any{"app": q.App, "id": q.ID, "dead": q.Dead, "after": q.After, "limit": q.Limit})
	box := f.now.Outbox
	if q.Dead {
		box.Events = f.now.Dead
	}
	var found []api.Event
	for _, e := range append(box.Events[:len(box.Events):len(box.Events)], f.now.Dead...) {
		if q.ID != "" && e.ID == q.ID {
			found = append(found, e)
		}
	}
	switch {
	case q.ID != "":
		box.Events = found
	case q.After > 0: // a page behind the first
		box.Events = slices.DeleteFunc(slices.Clone(box.Events), func(e api.Event) bool { return e.Seq <= q.After })
	}
	return box, nil
}

func (f *fake) Retry(_ context.Context, s api.OutboxSelection) (api.OutboxChange, error) {
	return f.change("retry", s)
}

func (f *fake) Drop(_ context.Context, s api.OutboxSelection) (api.OutboxChange, error) {
	return f.change("drop", s)
}

// change says that all that was asked for is done, but for the id nobodys.
func (f *fake) change(what string, s api.OutboxSelection) (api.OutboxChange, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(what, s)
	if s.All {
		return api.OutboxChange{Events: len(f.now.Dead)}, nil
	}
	if s.Through != nil {
		return api.OutboxChange{Events: int(*s.Through)}, nil
	}
	return api.OutboxChange{Events: len(s.IDs) - len(slices.DeleteFunc(slices.Clone(s.IDs), func(id string) bool { return id != "nobodys" }))}, nil
}

func (f *fake) Counts(_ context.Context, q api.CountsQuery) (api.Counts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("counts", map[string]any{"key": q.Key, "app": q.App, "limit": q.Limit})
	counts := f.now.Counts
	for _, c := range counts.Counts {
		if c.Key == q.Key {
			return api.Counts{Counts: []api.Count{c}, Node: counts.Node}, nil
		}
	}
	return counts, nil
}

func (f *fake) Call(_ context.Context, r api.CallRequest) (api.Called, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("call", r)
	if f.now.Refuse != nil {
		return api.Called{}, f.now.Refuse
	}
	return f.now.Called, nil
}

func (f *fake) Topics(_ context.Context, q api.TopicQuery) (api.TopicReader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("topics", q)
	if f.now.Refuse != nil {
		return nil, f.now.Refuse
	}
	return &batches{f.now.Topics}, nil
}

// batches is a subscription to what a scene has.
type batches struct{ left []api.TopicBatch }

func (*batches) Close() {}

func (b *batches) Next(ctx context.Context) (api.TopicBatch, error) {
	if len(b.left) == 0 {
		<-ctx.Done()
		return api.TopicBatch{}, ctx.Err()
	}
	next := b.left[0]
	b.left = b.left[1:]
	return next, nil
}

func (f *fake) Broadcast(_ context.Context, r api.BroadcastRequest) (api.Broadcasted, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("broadcast", r)
	if f.now.Refuse != nil {
		return api.Broadcasted{}, f.now.Refuse
	}
	return f.now.Broadcasted, nil
}

// shortName is file without its folders, which differ from run to run.
func shortName(file string) string {
	if file == "" || !filepath.IsAbs(file) {
		return file
	}
	return filepath.Base(file)
}

// serve has f answer on a socket in dir, and returns the address and what stops
// it.
func (f *fake) serve(dir string) (api.Address, func() error, error) {
	at := api.SocketIn(dir)
	l, err := at.Listen()
	if err != nil {
		return at, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- api.Serve(ctx, l, api.Handler(f, api.Options{Version: api.Version{Version: "v9.9.9", Go: "go1.26"}}))
	}()
	return at, func() error { cancel(); return <-done }, nil
}

// wait returns when changed is closed, or ctx ends, and counts who waits meanwhile
// for the end of the present scene.
func (f *fake) wait(ctx context.Context, changed <-chan struct{}) {
	f.mu.Lock()
	if changed == (<-chan struct{})(f.changed) {
		f.waiting++
	}
	f.mu.Unlock()
	select {
	case <-changed:
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		if changed == (<-chan struct{})(f.changed) {
			f.waiting--
		}
	}
}

// untilWaits returns when n requests wait for something to happen.
func (f *fake) untilWaits(n int) error {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		f.mu.Lock()
		waiting := f.waiting
		f.mu.Unlock()
		if waiting == n {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d requests wait, want %d", waiting, n)
		}
	}
}

// Await waits for another scene, if it is told what was seen of the present one.
func (f *fake) Await(ctx context.Context, seen api.Moment) api.Moment {
	for {
		f.mu.Lock()
		now, changed := api.Moment{Index: f.now.Status.Index, Revision: f.scenes}, (<-chan struct{})(f.changed)
		f.mu.Unlock()
		if seen.Before(now) {
			return now
		}
		if ctx.Err() != nil {
			return now
		}
		f.wait(ctx, changed)
	}
}

func (f *fake) History(ctx context.Context, q api.HistoryQuery) (api.History, error) {
	limit, cancel := context.WithTimeout(ctx, q.Wait)
	defer cancel()
	for {
		f.mu.Lock()
		h, changed := api.History{Entries: []api.HistoryEntry{}, Last: q.After}, (<-chan struct{})(f.changed)
		for _, e := range f.now.Events {
			if e.ID > q.After && (q.App == "" || q.App == e.App) && (q.Node == "" || q.Node == e.Node) {
				h.Entries, h.Last = append(h.Entries, e), e.ID
			}
		}
		f.mu.Unlock()
		if len(h.Entries) > 0 || q.After == 0 || limit.Err() != nil {
			return h, nil
		}
		f.wait(limit, changed)
	}
}
