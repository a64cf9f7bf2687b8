package ergonode_test

import (
	"context"
	"strings"
	"testing"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// TestCastsMayHaveAHandlerOfTheirOwn: what waits for an answer before it returns is
// not what casts want.
func TestCastsMayHaveAHandlerOfTheirOwn(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	took := make(chan etf.Term, 2)
	n := start(t, e, func(o *ergonode.Options) {
		o.Servers = map[string]transport.Handler{"ehc": echo}
		o.Casts = map[string]transport.Handler{"ehc": func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			took <- args[0]
			return args[0], nil
		}}
	})
	dial(t, n, p.Name())
	p.Eval(`gen_server:cast({ehc, 'ehc@127.0.0.1'}, 1), gen_server:cast({ehc, 'ehc@127.0.0.1'}, 2)`)
	if got := p.Eval(`gen_server:call({ehc, 'ehc@127.0.0.1'}, 3)`); got != "{ok,3}" {
		t.Errorf("a call: %s", got)
	}
	for want := range 2 {
		if got := <-took; got != want+1 {
			t.Errorf("took %v, want %d", got, want+1)
		}
	}
}

func TestCastsOfNoServerAreRefused(t *testing.T) {
	o := ergonode.Options{Name: ourName, Cookies: []transport.Cookie{cookie}, Casts: map[string]transport.Handler{"ehc": echo}}
	if n, err := ergonode.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), `casts of server "ehc"`) {
		t.Error(err)
		n.Stop()
	}
}
