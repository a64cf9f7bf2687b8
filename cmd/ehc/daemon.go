package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"

	"github.com/hashicorp/go-hclog"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/state"
	"ehc/state/spec"
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
	p := parts{daemon: d}
	defer func() { err = errors.Join(err, p.close(ctx)) }()
	for _, step := range []func(context.Context) error{p.open, p.join, p.serve} {
		err = step(ctx)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // asked to stop while it began
		}
		if err != nil {
			return err
		}
	}
	return nil
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
