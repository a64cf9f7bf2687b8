package doctor

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"ehc/state"
	"ehc/transport"
)

// shake tries the handshake with every node, and returns those that would connect,
// in order.
func (p *patient) shake(ctx context.Context, nodes []state.Found) []state.Found {
	good := make([]bool, len(nodes))
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for i, n := range nodes {
		group.Go(func() error {
			good[i] = p.shakeOne(ctx, n)
			return nil
		})
	}
	_ = group.Wait()
	var reached []state.Found
	for i, n := range nodes {
		if good[i] {
			reached = append(reached, n)
		}
	}
	return reached
}

func (p *patient) shakeOne(ctx context.Context, n state.Found) bool {
	limit, cancel := context.WithTimeout(ctx, 2*askLimit)
	defer cancel()
	t := p.target(n)
	got, err := p.Probe.Probe(limit, t)
	if err != nil {
		reason := transport.Reason(err)
		p.add(Finding{Level: Failure, Check: Handshake, App: p.app.Name, Node: t.Node, Reason: reason, Message: transport.Why(err), Fix: p.fixFor(reason, n)})
		return false
	}
	kind := "visible"
	if got.Hidden {
		kind = "hidden"
	}
	message := fmt.Sprintf("it takes our cookie and we take its; %s, incarnation %d", kind, got.Creation)
	if got.Port != 0 {
		message += fmt.Sprintf(", port %d", got.Port)
	}
	switch {
	case strings.Contains(got.Flags, "SPAWN"):
		message += "; every compulsory flag, and SPAWN: it answers calls"
	case got.Flags != "":
		p.noteOf(n.Node, Failure, Handshake, message+"; without the flag SPAWN: it answers no calls", "it is no BEAM, or an ehc without functions: is it the app's node?")
		return true
	}
	if got.Cookie > 0 {
		p.noteOf(n.Node, Warning, Handshake, fmt.Sprintf("%s; but only cookie %d of %d is taken", message, got.Cookie+1, len(t.Cookies)),
			"end the rotation: give the node the first cookie, then drop the others")
		return true
	}
	p.noteOf(n.Node, OK, Handshake, message, "")
	return true
}

// fixFor is what to do about a dial that would fail.
func (p *patient) fixFor(reason string, n state.Found) string {
	switch reason {
	case "CookieRejected":
		if p.onFly() {
			return `fly secrets set RELEASE_COOKIE="…", the same value, on ehc's app and on the node's; or peer "` + p.app.Name + `" { cookie }`
		}
		return `start both with one RELEASE_COOKIE, or give peer "` + p.app.Name + `" its cookie`
	case "NotListed":
		return "on its machine: epmd -names; is it started, and as " + n.Node.Name() + "? Without EPMD: peer { node port }"
	case "WrongName":
		return "what answers has another name: compare RELEASE_NODE with " + string(n.Node) + ", and the text of the address after the @"
	case "FlagsRefused":
		return "it is older than OTP 25, or net_kernel:allow/1 there lists who may connect"
	case "TLSRefused":
		return "either both speak TLS (-proto_dist inet6_tls, node { tls {…} }) or neither does; compare the CAs"
	case "NotErlang":
		return "something else listens at its port: port in the peer block, or its firewall"
	}
	port := "PORT"
	if n.Port != 0 {
		port = fmt.Sprint(n.Port)
	}
	reach := fmt.Sprintf("nc -vz %s %s from this machine: ", n.Node.Host(), port)
	if reason == "TimedOut" {
		return reach + "if that connects, the node is stopped (SIGSTOP, a debugger) or overloaded; else a firewall drops what is sent"
	}
	return reach + "is the node up, and its port open? On Fly: fly machine list"
}
