package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/controller/discover"
	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/inbox"
	"ehc/state/outbox"
	"ehc/transport"
	"ehc/transport/ergonode"
)

// parts are those of a daemon, in the order in which they begin: open, join, serve.
// close ends those that have begun.
type parts struct {
	daemon
	db       *disk.DB
	config   *controller.Config
	spec     state.Spec // in force at the start
	logs     *telemetry.Log
	meter    *telemetry.Meter
	tracer   *telemetry.Tracer // nil: no traces
	warnings []string
	box      *outbox.Box
	store    *state.Store

	links  *controller.Links
	heard  *controller.Topics
	counts *inbox.Box // nil: it takes no events
	door   *controller.Door
	node   *ergonode.Node
}

// open opens what is on disk, and what tells of everything else.
func (p *parts) open(ctx context.Context) (err error) {
	if p.db, err = disk.Open(ctx, p.data); err != nil {
		return err
	}
	if p.config, err = controller.OpenConfig(p.daemon.config, p.data, p.env); err != nil {
		return err
	}
	p.spec = p.config.Spec()
	p.logs = telemetry.NewLog(p.log, p.spec.Log)
	p.meter = telemetry.NewMeter(buildVersion().Version, buildVersion().Go)
	if p.tracer, err = p.openTracer(ctx, p.spec, p.logs); err != nil {
		return err
	}
	p.db.OnCommit(p.meter.Commit)
	p.warnings = p.daemon.warnings(p.db)
	for _, w := range p.warnings {
		p.logs.Warn(w)
	}
	if cut := p.db.Cut(); cut.Bytes > 0 && cut.Commits < 2 && p.db.Lost() == 0 {
		p.logs.Info("cut a commit that a crash has torn off the end of the store's log: nobody was told that it was durable", "bytes", cut.Bytes)
	}
	if p.box, err = outbox.Open(ctx, p.db, p.spec.Outbox); err != nil {
		return err
	}
	p.box.OnEvents(p.meter.Events)
	p.store, err = state.New()
	return err
}

// join starts the Erlang node, with what it answers.
func (p *parts) join(ctx context.Context) error {
	p.links = controller.NewLinks(p.store, p.logs.Named("links"), p.meter, p.tracer)
	options, err := nodeOptions(p.config, p.store, p.links, p.logs)
	if err != nil {
		return err
	}
	p.heard = controller.NewTopics(p.store, p.logs.Named("pubsub"), p.meter)
	options.PubSub = p.heard
	if p.spec.Receive != nil {
		p.counts = inbox.New(p.db, p.spec.Receive.Inbox)
		receiver := controller.NewReceiver(p.counts, *p.spec.Receive, p.logs.Named("receive"))
		receiver.Meter, receiver.Topics = p.meter, p.heard
		options.Functions = receiver.Functions()
	}
	options.Refused = p.meter.HandshakeRefused
	p.door = controller.NewDoor(p.logs.Named("door"), p.meter)
	options.Servers = map[string]transport.Handler{controller.DoorName: p.door.Call}
	options.Casts = map[string]transport.Handler{controller.DoorName: p.door.Cast}
	options.TurnedAway = map[string]func(error) transport.Term{controller.DoorName: p.door.TurnAway}
	p.node, err = ergonode.Start(ctx, options)
	return err
}

// serve runs the controller and answers the API until ctx ends.
func (p *parts) serve(ctx context.Context) error {
	poller := discover.NewPoller(p.store, p.spec.Node, p.meter)
	ctl, err := controller.New(controller.Options{
		Store: p.store, Box: p.box, Dialer: p.node, Prober: p.node, Links: p.links, Config: p.config, Discovery: poller,
		Log: p.logs.Named("controller"), Version: buildVersion().Version, Inbox: p.counts, Warnings: p.warnings, Door: p.door,
		Topics: p.heard, PubSub: p.node,
		Meter: p.meter, Tracer: p.tracer, SetLog: p.logs.Set,
	})
	if err != nil {
		return err
	}
	p.meter.Read(telemetry.Sources{Snapshot: p.store.Snapshot, Queues: p.box.Stats, Status: ctl.Status, Size: p.db.Size})
	tells := tells(p.meter, p.db, ctl, p.node, p.logs)
	served, token, err := p.endpoints(p.spec.API, p.logs)
	if err != nil {
		return err
	}
	p.logs.Info("running", "node", p.spec.Node.Name, "cookie", controller.Cookies(p.spec.Node.Cookies)[0], "apps", len(p.spec.Apps),
		"data", p.data, "api", p.at, "version", buildVersion().Version)
	defer p.logs.Info("stopped")

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		h := api.Handler(ctl, api.Options{Version: buildVersion(), Panicked: panicked(p.logs), Machines: tells})
		return serve(ctx, served, token, p.meter.Requests(h), p.logs)
	})
	group.Go(func() error { return tellAt(ctx, p.spec.Telemetry, tells) })
	group.Go(func() error { return poller.Run(ctx) })
	group.Go(func() error { return ctl.Watch(ctx, p.reload) })
	group.Go(func() error { return ctl.Run(ctx) })
	return group.Wait()
}

// close ends what has begun, the last first.
func (p *parts) close(ctx context.Context) error {
	if p.node != nil {
		p.node.Stop()
	}
	if p.tracer != nil {
		closeTracer(ctx, p.tracer, p.logs)
	}
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}
