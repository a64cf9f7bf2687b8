// Package controller is the long-lived process. It runs a reconcile pass
// whenever the state changes or time alone could change the plan, carries the
// actions out, keeps the desired file, and answers the API.
//
// Nothing here decides what should happen: that is reconcile's. Events only
// wake the loop; the store's rows decide.
package controller

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/discover"
	"ehc/controller/history"
	"ehc/controller/telemetry"
	"ehc/reconcile"
	"ehc/state"
	"ehc/state/inbox"
	"ehc/state/outbox"
	"ehc/transport"
)

// passGap is the least time between two passes, and passShare how many times as long
// as the last pass took it is at least: in a burst of changes a large cluster is not
// looked at all the time. The first change after a quiet time does not wait for it.
const (
	passGap   = 2 * time.Millisecond
	passShare = 4
)

// Controller reconciles and is the API's Backend. Make one with New, then Run it.
type Controller struct {
	store   *state.Store
	box     *outbox.Box
	links   *Links
	prober  transport.Prober
	config  *Config
	look    Discovery
	effects *effects
	log     hclog.Logger
	version string
	started time.Time
	inbox   *inbox.Box    // may be nil
	calls   chan struct{} // full of those under way
	hopes   hopes
	meter   *telemetry.Meter
	tracer  *telemetry.Tracer
	setLog  func(state.LogSpec)
	logs    atomic.Pointer[state.LogSpec] // as it logs now
	heart   heart
	door    *Door // may be nil
	topics  *Topics
	pubsub  transport.PubSub // may be nil

	history *history.Log
	began   uint64 // what the revisions of this run begin after
	beside  *bell

	warnings []string
	full     fullness
	older    chan struct{} // wakes expire
	changing sync.Mutex    // held while the file in force is being changed
}

// Discovery looks nodes up; package discover has one.
type Discovery interface {
	// Set changes what is looked up from now on.
	Set(apps []state.App, dns state.DNSSpec)
	// Once looks up every query of apps and has recorded the outcomes in store
	// when it returns.
	Once(ctx context.Context, store discover.Recorder, apps []state.App, dns state.DNSSpec) error
}

// Options are the parts of a Controller; all of them are needed, down to the
// Version.
type Options struct {
	Store     *state.Store
	Box       *outbox.Box
	Dialer    transport.Dialer
	Prober    transport.Prober
	Links     *Links // the Dialer's Observer
	Config    *Config
	Discovery Discovery
	Log       hclog.Logger
	Version   string
	// Warnings is what was found at the start that a person should see in every
	// status.
	Warnings []string
	// Inbox is what Counts answers from; nil if the controller takes no events.
	Inbox *inbox.Box
	// Topics is the listener of PubSub, the node's part in Phoenix.PubSub. Without
	// them nothing comes from the nodes.
	Topics *Topics
	PubSub transport.PubSub
	// Meter and Tracer hear of what happens; each may be nil.
	Meter  *telemetry.Meter
	Tracer *telemetry.Tracer
	// SetLog makes the log what the file in force says; nil does not.
	SetLog func(state.LogSpec)
	// Door is opened to apps in Elixir and Erlang; nil if they have none.
	Door *Door
}

// New returns a controller in which the file of o.Config is in force.
func New(o Options) (*Controller, error) {
	c := &Controller{
		store: o.Store, box: o.Box, links: o.Links, prober: o.Prober, config: o.Config, look: o.Discovery,
		log: o.Log, version: o.Version, started: time.Now(), inbox: o.Inbox, warnings: o.Warnings,
		meter: o.Meter, tracer: o.Tracer, setLog: o.SetLog, door: o.Door,
		topics: o.Topics, pubsub: o.PubSub,
	}
	if c.topics == nil {
		c.topics = NewTopics(o.Store, o.Log, o.Meter)
	}
	c.older = make(chan struct{}, 1)
	c.calls = make(chan struct{}, callsAtOnce)
	c.history, c.beside, c.began = history.New(historyLimit, time.Now()), newBell(), uint64(time.Now().UnixMilli())*1000
	c.effects = newEffects(o)
	c.effects.tell = c.tell
	c.effects.beat = func() { c.heart.beat(time.Now()) }
	o.Box.OnChange(c.backlog)
	rows, err := o.Config.readSuspended()
	if err == nil {
		err = o.Store.Suspend(rows)
	}
	if err != nil {
		return nil, err
	}
	if err := c.enforce(o.Config.Spec()); err != nil {
		return nil, err
	}
	c.tell(history.Entry{Kind: history.Started, Message: "ehc " + o.Version})
	o.Store.Observe(newChronicle(c.history.Add, time.Now).wrote)
	for _, s := range o.Box.Stats() {
		c.backlog(s.App, s.Pending)
	}
	if c.door != nil {
		c.door.open(c)
	}
	return c, nil
}

// Run reconciles until ctx ends and every action has come to its end; it
// returns nil then. An action that fails is a row in the store, from which a
// later pass plans it again.
func (c *Controller) Run(ctx context.Context) error {
	defer c.effects.wait()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { c.expire(ctx) })
	beside.Go(func() { newObserver(c).run(ctx) })
	beside.Go(func() { c.topics.hub.Run(ctx) })
	beside.Go(func() { c.tellCounts(ctx) })
	beside.Go(func() { c.relay(ctx) })
	if c.door != nil {
		beside.Go(func() { c.door.run(ctx) })
	}
	for {
		began := time.Now()
		snap, plan := c.pass(ctx)
		c.heart.rest(time.Now(), plan.Wake)
		if !sleep(ctx, max(passGap, passShare*time.Since(began))) || snap.Wait(ctx, plan.Wake) != nil {
			return nil
		}
	}
}

// pass plans and has the plan done. It returns what it went by and what it planned.
func (c *Controller) pass(ctx context.Context) (state.Snapshot, reconcile.Plan) {
	began := time.Now()
	c.heart.beat(began)
	snap := c.store.Snapshot()
	c.hopes.see(snap)
	plan := reconcile.Diff(snap.Desired(), snap.Live(), began)
	ctx, end := c.tracer.Pass(ctx, plan, began)
	err := reconcile.Apply(ctx, plan, c.effects)
	end(err)
	if err != nil && ctx.Err() == nil {
		c.log.Error("pass", "actions", len(plan.Actions), "error", err)
	}
	c.meter.Pass(plan, err, time.Now(), time.Since(began))
	return snap, plan
}

// enforce makes spec what the parts go by.
func (c *Controller) enforce(spec state.Spec) error {
	if err := c.store.SetSpec(spec, time.Now()); err != nil {
		return err
	}
	c.box.SetLimits(spec.Outbox)
	c.lookForOld()
	if c.inbox != nil && spec.Receive != nil {
		c.inbox.SetLimits(spec.Receive.Inbox)
	}
	c.useLog(spec.Log)
	c.meter.Know(spec.Apps)
	c.look.Set(spec.Apps, spec.DNS)
	c.follow(spec.PubSub)
	return nil
}

// backlog is the outbox telling of a queue's length.
func (c *Controller) backlog(app string, pending int) {
	c.lookForOld()
	if err := c.store.RecordBacklog(app, pending); err != nil {
		c.log.Error("record backlog", "app", app, "error", err)
	}
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
