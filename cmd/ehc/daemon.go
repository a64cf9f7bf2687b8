package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/controller/discover"
	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/inbox"
	"ehc/state/outbox"
	"ehc/state/spec"
	"ehc/transport"
	"ehc/transport/ergonode"
)

// daemon is what `ehc run` runs: every part, wired.
type daemon struct {
	config string // the file to watch; may be empty once one was applied
	data   string
	at     api.Address // the unix socket
	tcp    api.Address // as -api asks; zero: as the file does
	env    spec.Env
	log    io.Writer
	reload <-chan os.Signal
}

// run returns nil when ctx has ended and every part has stopped.
func (d daemon) run(ctx context.Context) (err error) {
	db, err := disk.Open(ctx, d.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	config, err := controller.OpenConfig(d.config, d.data, d.env)
	if err != nil {
		return err
	}
	s := config.Spec()
	log := telemetry.NewLog(d.log, s.Log)
	meter := telemetry.NewMeter(buildVersion().Version, buildVersion().Go)
	tracer, err := d.tracer(ctx, s, log)
	if err != nil {
		return err
	}
	defer closeTracer(ctx, tracer, log)
	db.OnCommit(meter.Commit)
	warnings := d.warnings(db)
	for _, w := range warnings {
		log.Warn(w)
	}
	if cut := db.Cut(); cut.Bytes > 0 && cut.Commits < 2 && db.Lost() == 0 {
		log.Info("cut a commit that a crash has torn off the end of the store's log: nobody was told that it was durable", "bytes", cut.Bytes)
	}
	box, err := outbox.Open(ctx, db, s.Outbox)
	if err != nil {
		return err
	}
	box.OnEvents(meter.Events)
	store, err := state.New()
	if err != nil {
		return err
	}
	links := controller.NewLinks(store, log.Named("links"), meter, tracer)
	options, err := nodeOptions(config, store, links, log)
	if err != nil {
		return err
	}
	heard := controller.NewTopics(store, log.Named("pubsub"), meter)
	options.PubSub = heard
	var counts *inbox.Box
	if s.Receive != nil {
		counts = inbox.New(db, s.Receive.Inbox)
		receiver := controller.NewReceiver(counts, *s.Receive, log.Named("receive"))
		receiver.Meter, receiver.Topics = meter, heard
		options.Functions = receiver.Functions()
	}
	options.Refused = meter.HandshakeRefused
	door := controller.NewDoor(log.Named("door"), meter)
	options.Servers = map[string]transport.Handler{controller.DoorName: door.Call}
	options.Casts = map[string]transport.Handler{controller.DoorName: door.Cast}
	node, err := ergonode.Start(ctx, options)
	if err != nil {
		return err
	}
	defer node.Stop()
	poller := discover.NewPoller(store, s.Node, meter)
	ctl, err := controller.New(controller.Options{
		Store: store, Box: box, Dialer: node, Prober: node, Links: links, Config: config, Discovery: poller,
		Log: log.Named("controller"), Version: buildVersion().Version, Inbox: counts, Warnings: warnings, Door: door,
		Topics: heard, PubSub: node,
		Meter: meter, Tracer: tracer, SetLog: log.Set,
	})
	if err != nil {
		return err
	}
	meter.Read(telemetry.Sources{Snapshot: store.Snapshot, Queues: box.Stats, Status: ctl.Status, Size: db.Size})
	tells := tells(meter, db, ctl, node, log)
	served, token, err := d.endpoints(s.API)
	if err != nil {
		return err
	}
	log.Info("running", "node", s.Node.Name, "cookie", controller.Cookies(s.Node.Cookies)[0], "apps", len(s.Apps),
		"data", d.data, "api", d.at, "version", buildVersion().Version)
	defer log.Info("stopped")

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		h := api.Handler(ctl, api.Options{Version: buildVersion(), Panicked: panicked(log), Machines: tells})
		return serve(ctx, served, token, meter.Requests(h), log)
	})
	group.Go(func() error { return tellAt(ctx, s.Telemetry, tells) })
	group.Go(func() error { return poller.Run(ctx) })
	group.Go(func() error { return ctl.Watch(ctx, d.reload) })
	group.Go(func() error { return ctl.Run(ctx) })
	return group.Wait()
}

// nodeOptions are those of the Erlang node that the config asks for. It reads the
// files of its TLS.
func nodeOptions(config *controller.Config, store *state.Store, links *controller.Links, log hclog.Logger) (ergonode.Options, error) {
	n := config.Spec().Node
	listen := n.Listen
	if host, err := netip.ParseAddr(n.Name.Host()); err == nil && !listen.IsValid() {
		listen = host // not on every address: a cookie guards whatever listens
	}
	o := ergonode.Options{
		Name: string(n.Name), Cookies: controller.Cookies(n.Cookies), AppCookies: controller.CookiesFor(store, config),
		Listen: listen, Port: n.Port, EPMDPort: n.EPMDPort, Tick: n.Tick,
		Observer: links, Log: log.Named("node"),
	}
	return o, loadTLS(&o, n.TLS)
}

// panicked logs a fault of ours that the API ran into.
func panicked(log hclog.Logger) func(route string, cause any, stack []byte) {
	return func(route string, cause any, stack []byte) {
		log.Error("panic", "route", route, "cause", cause, "stack", string(stack))
	}
}
