package discover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

// diary is a Recorder that remembers what it was told, in order.
type diary struct {
	mu     sync.Mutex
	lines  []string
	broken error // what it answers with
}

func (d *diary) RecordAnswer(app, query string, a state.Answer, _ time.Time) error {
	return d.write(fmt.Sprintf("%s %s: %d found", app, query, len(a.Found)))
}

func (d *diary) RecordFailure(app, query, why string) error {
	return d.write(fmt.Sprintf("%s %s: %s", app, query, why))
}

func (d *diary) write(line string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
	return d.broken
}

// take returns the lines since the last take.
func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

// script is a find that does as told, and counts.
type script struct {
	mu    sync.Mutex
	calls map[string]int           // by query, begun
	now   map[string]int           // by app, under way
	most  int                      // under way at once for one app
	hold  map[string]chan struct{} // by query: what a lookup waits for
	deaf  map[string]bool          // by query: it does not hear that it is called off
	fails map[string]error
	twice bool // one query was under way twice
	going map[string]bool
}

func newScript() *script {
	return &script{calls: map[string]int{}, now: map[string]int{}, hold: map[string]chan struct{}{}, deaf: map[string]bool{},
		fails: map[string]error{}, going: map[string]bool{}}
}

func (s *script) find(ctx context.Context, _ state.DNSSpec, app state.App, lookup state.Lookup) (state.Answer, error) {
	s.mu.Lock()
	id := app.Name + " " + lookup.Text
	s.twice = s.twice || s.going[id]
	s.going[id] = true
	s.calls[lookup.Text]++
	s.now[app.Name]++
	s.most = max(s.most, s.now[app.Name])
	hold, deaf, err := s.hold[lookup.Text], s.deaf[lookup.Text], s.fails[lookup.Text]
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now[app.Name]--
		s.going[id] = false
	}()
	if hold != nil {
		done := ctx.Done()
		if deaf {
			done = nil
		}
		select {
		case <-hold:
		case <-done:
			return state.Answer{}, ctx.Err()
		}
	}
	return state.Answer{Found: []state.Found{{Node: "a@b"}}}, err
}

func (s *script) begun(query string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[query]
}

func app(name string, queries ...string) state.App {
	a := state.App{Name: name}
	for _, q := range queries {
		a.Queries = append(a.Queries, state.Lookup{Text: q, Target: q})
	}
	return a
}

const interval = 5 * time.Second

var every = state.DNSSpec{Interval: interval}

// poll runs a Poller in a bubble of its own time; the test ends it.
func poll(t *testing.T, do func(t *testing.T, p *Poller, s *script, d *diary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, d := newScript(), &diary{}
		p := newPoller(d, s.find)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		do(t, p, s, d)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.twice {
			t.Error("a query was looked up twice at once")
		}
		for name, n := range s.now {
			if n != 0 {
				t.Errorf("%d lookups of %s under way after Run", n, name)
			}
		}
	})
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Errorf("%s (-want +got): %s", what, diff)
	}
}

func TestANewQueryIsLookedUpAtOnceAndThenAtItsPace(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, s *script, d *diary) {
		s.fails["b"] = errors.New("SERVFAIL from [fdaa::3]:53")
		synctest.Wait()
		expect(t, "before Set", d.take(), []string(nil))
		p.Set([]state.App{app("one", "a")}, every)
		synctest.Wait()
		expect(t, "after Set", d.take(), []string{"one a: 1 found"})
		p.Set([]state.App{app("one", "a", "b")}, every)
		synctest.Wait()
		expect(t, "after another Set, only what is new", d.take(), []string{"one b: SERVFAIL from [fdaa::3]:53"})
		time.Sleep(20 * interval)
		if n := s.begun("b"); n < 18 || n > 24 {
			t.Errorf("%d failing lookups in 20 intervals: the pace is not kept", n)
		}
	})
}

func TestQueriesThatBeganTogetherDriftApart(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, _ *script, d *diary) {
		var apps []state.App
		for i := range 100 {
			apps = append(apps, app(fmt.Sprint(i), "q"))
		}
		p.Set(apps, every)
		synctest.Wait()
		expect(t, "at once", len(d.take()), 100)
		for range 4 {
			time.Sleep(interval / 4)
			synctest.Wait()
			if n := len(d.take()); n < 5 || n > 60 {
				t.Errorf("%d lookups of 100 in a quarter of the interval", n)
			}
		}
	})
}

func TestASlowAppDelaysNoOther(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, s *script, d *diary) {
		slow := app("slow")
		for i := range 3 * perApp {
			q := fmt.Sprintf("slow-%d", i)
			slow.Queries = append(slow.Queries, state.Lookup{Text: q})
			s.hold[q] = make(chan struct{})
		}
		p.Set([]state.App{slow, app("quick", "q")}, every)
		time.Sleep(20 * interval)
		if n := s.begun("q"); n < 18 {
			t.Errorf("the quick app was looked up %d times in 20 intervals", n)
		}
		expect(t, "lookups of the slow app at once", s.most, perApp)
		d.take()
		for _, c := range s.hold {
			close(c)
		}
		synctest.Wait()
		expect(t, "outcomes once it is quick again", len(d.take()), 3*perApp)
	})
}

func TestAQueryThatIsSlowerThanItsPaceIsLookedUpOnceAtATime(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, s *script, d *diary) {
		s.hold["a"] = make(chan struct{})
		p.Set([]state.App{app("one", "a")}, every)
		time.Sleep(3*interval + interval/2)
		p.Poke()
		p.Poke()
		synctest.Wait()
		expect(t, "begun while one is under way", s.begun("a"), 1)
		close(s.hold["a"])
		synctest.Wait()
		expect(t, "begun after the pokes", s.begun("a"), 2)
		expect(t, "outcomes", d.take(), []string{"one a: 1 found", "one a: 1 found"})
	})
}

func TestPokeLooksEverythingUpNow(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, _ *script, d *diary) {
		p.Set([]state.App{app("one", "a"), app("two", "a")}, every)
		synctest.Wait()
		d.take()
		p.Poke()
		synctest.Wait()
		expect(t, "outcomes", len(d.take()), 2)
	})
}

func TestNothingIsRecordedOfAQueryThatSetDropped(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, s *script, d *diary) {
		s.hold["a"], s.deaf["a"] = make(chan struct{}), true
		p.Set([]state.App{app("one", "a")}, every)
		synctest.Wait()
		p.Set(nil, every)
		close(s.hold["a"])
		time.Sleep(3 * interval)
		expect(t, "outcomes", d.take(), []string(nil))
		expect(t, "begun", s.begun("a"), 1)
	})
}

func TestAChangedAppIsLookedUpAnewOnceTheOldLookupHasEnded(t *testing.T) {
	poll(t, func(t *testing.T, p *Poller, s *script, d *diary) {
		s.hold["a"], s.deaf["a"] = make(chan struct{}), true
		old := app("one", "a")
		p.Set([]state.App{old}, every)
		synctest.Wait()
		changed := old
		changed.Match = "new-*"
		p.Set([]state.App{changed}, every)
		synctest.Wait()
		expect(t, "begun while the old one is under way", s.begun("a"), 1)
		close(s.hold["a"])
		synctest.Wait()
		expect(t, "begun", s.begun("a"), 2)
		expect(t, "outcomes, of the new one only", d.take(), []string{"one a: 1 found"})

		same := changed
		same.Prune.After = time.Hour // of no concern to a lookup
		p.Set([]state.App{same}, every)
		synctest.Wait()
		expect(t, "begun after a change that does not matter", s.begun("a"), 2)
		for i, dns := range []state.DNSSpec{{Interval: time.Minute}, {Interval: time.Minute, Timeout: 1}, {Interval: time.Minute, Timeout: 1, Servers: nil}} {
			p.Set([]state.App{same}, dns)
			synctest.Wait()
			expect(t, fmt.Sprintf("begun after DNS change %d", i), s.begun("a"), min(3+i, 4))
		}
	})
}

func TestRunEndsWithWhatTheStoreSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("store is full")
		p := newPoller(&diary{broken: broken}, newScript().find)
		p.Set([]state.App{app("one", "a"), app("two", "b")}, every)
		if err := p.Run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("Run: %v, want %v", err, broken)
		}
	})
}

func TestAnOutcomeOfAJobThatSetHasReplacedIsPassedOver(t *testing.T) {
	d := &diary{}
	p := newPoller(d, nil)
	old, changed := app("one", "a"), app("one", "a")
	changed.Template = "n@${ip}"
	p.Set([]state.App{changed}, every)
	for k, j := range jobs([]state.App{old, app("two", "a")}, every) {
		if err := p.record(k, j, state.Answer{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "outcomes", d.take(), []string(nil))
	for k, j := range jobs([]state.App{changed}, every) {
		if err := p.record(k, j, state.Answer{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "outcomes", d.take(), []string{"one a: 0 found"})
}
