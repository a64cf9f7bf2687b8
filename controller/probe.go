package controller

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
)

// Bounds of the probes of one plan.
const (
	maxProbes    = 32
	probesAtOnce = 8
	probeLimit   = 5 * time.Second
)

// Probe tries the nodes that actions would connect, as snap lists them, and returns
// once each has answered or its time is over: the first 32, eight at a time, five
// seconds each. See transport.Prober for what a node sees of that.
func Probe(ctx context.Context, p transport.Prober, snap state.Snapshot, s state.Spec, actions []api.Action) []api.Probe {
	var probes []api.Probe
	var group errgroup.Group
	group.SetLimit(probesAtOnce)
	for _, a := range actions {
		if a.Kind == "connect" {
			probes = append(probes, api.Probe{Node: a.Node, App: a.App, Reason: reasonNotProbed,
				Message: fmt.Sprintf("not tried: only the first %d are", maxProbes)})
		}
	}
	for i := range probes[:min(len(probes), maxProbes)] {
		peer, ok := snap.Wanted(state.Node(probes[i].Node))
		if !ok {
			continue
		}
		group.Go(func() error {
			probes[i] = probe(ctx, p, peer, s)
			return nil
		})
	}
	_ = group.Wait()
	return probes
}

func probe(ctx context.Context, p transport.Prober, peer state.Peer, s state.Spec) api.Probe {
	limit, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	cookies := Cookies(s.Node.Cookies)
	for _, a := range s.Apps {
		if a.Name == peer.App && len(a.Cookies) > 0 {
			cookies = Cookies(a.Cookies)
		}
	}
	out := api.Probe{Node: string(peer.Node), App: peer.App}
	got, err := p.Probe(limit, transport.Target{Node: string(peer.Node), Addr: peer.Addr, Port: peer.Port, Cookies: cookies})
	if err != nil {
		out.Reason, out.Message = transport.Reason(err), "would not connect: "+transport.Why(err)
		return out
	}
	out.OK, out.Message = true, "would connect"
	if got.Cookie > 0 {
		out.Message += fmt.Sprintf(", with cookie %d of %d", got.Cookie+1, len(cookies))
	}
	return out
}
