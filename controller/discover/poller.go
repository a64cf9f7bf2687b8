package discover

import (
	"context"
	"slices"
	"sync"
	"time"

	"ehc/state"
)

// Recorder takes the outcomes of lookups; state.Store is one. It passes over
// an outcome of a query that it does not have.
type Recorder interface {
	RecordAnswer(app, query string, answer state.Answer, now time.Time) error
	RecordFailure(app, query, why string) error
}

// find is Finder.Find.
type find func(ctx context.Context, dns state.DNSSpec, app state.App, lookup state.Lookup) (state.Answer, error)

// Poller looks every query up at the pace that the file asks for, and records
// the outcomes. Its methods are safe to call at once.
//
//	          Set                     lookup done, recorded
//	(absent) ─────▶ looking up ─────────────────────────────▶ waiting
//	                    ▲                                        │
//	                    └────── interval over, or Poke ──────────┘
//
// Each query has a goroutine of its own, so that it is under way once at most
// and waits for nobody but the few others of its own app.
type Poller struct {
	store Recorder
	find  find

	signal chan struct{} // one slot: wanted or pokes has changed

	mu     sync.Mutex
	wanted map[key]job
	pokes  int // how often Poke was called
}

// key names one query of one app.
type key struct{ app, query string }

// job is all that a lookup depends on.
type job struct {
	app    state.App
	lookup state.Lookup
	dns    state.DNSSpec
}

// same says whether other would look up the same at the same pace.
func (j job) same(other job) bool {
	return j.lookup == other.lookup && j.app.Match == other.app.Match && j.app.Template == other.app.Template &&
		j.app.Port == other.app.Port && j.dns.Interval == other.dns.Interval && j.dns.Timeout == other.dns.Timeout &&
		slices.Equal(j.dns.Servers, other.dns.Servers)
}

// NewPoller returns a Poller for the node that ehc is, which it never finds. It
// polls nothing before Set and Run. observer hears of every question; nil is nobody.
func NewPoller(store Recorder, node state.NodeSpec, observer Observer) *Poller {
	return newPoller(store, (&Finder{Self: node.Name, EPMDPort: node.EPMDPort, Observer: observer}).Find)
}

func newPoller(store Recorder, find find) *Poller {
	return &Poller{store: store, find: find, signal: make(chan struct{}, 1)}
}

// Set changes what is polled. A query that is new, or whose app or DNS settings
// changed so that it may find something else, is looked up at once; the others
// keep their turn. Once Set has returned, nothing is recorded of a query that
// it dropped or changed until that has been looked up afresh. The store must
// know of new queries before Set is called, or it passes over what they find.
func (p *Poller) Set(apps []state.App, dns state.DNSSpec) {
	wanted := jobs(apps, dns)
	p.mu.Lock()
	p.wanted = wanted
	p.mu.Unlock()
	p.wake()
}

// Poke has every query looked up now, or again if it is being looked up.
func (p *Poller) Poke() {
	p.mu.Lock()
	p.pokes++
	p.mu.Unlock()
	p.wake()
}

func (p *Poller) wake() {
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

func jobs(apps []state.App, dns state.DNSSpec) map[key]job {
	out := map[key]job{}
	for _, app := range apps {
		for _, lookup := range app.Queries {
			out[key{app.Name, lookup.Text}] = job{app: app, lookup: lookup, dns: dns}
		}
	}
	return out
}

// Run polls until ctx ends, and returns nil then. It returns an error at once
// if an outcome cannot be recorded. When it returns nothing is under way. Only
// one Run may be going at a time.
func (p *Poller) Run(ctx context.Context) error {
	r := &round{poller: p, lanes: map[key]*lane{}, slots: map[string]chan struct{}{}, broken: make(chan error, 1)}
	defer r.stop()
	for {
		r.update(ctx)
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.broken:
			return err
		case <-p.signal:
		}
	}
}

// record writes down how a lookup went, unless Set has changed the job since.
func (p *Poller) record(k key, j job, answer state.Answer, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now, ok := p.wanted[k]; !ok || !now.same(j) {
		return nil
	}
	return record(p.store, k, answer, err)
}

func record(store Recorder, k key, answer state.Answer, err error) error {
	if err != nil {
		return store.RecordFailure(k.app, k.query, err.Error())
	}
	return store.RecordAnswer(k.app, k.query, answer, time.Now())
}
