// Package doctor examines what has to be so for a cluster to come together, and
// says what is not and how to mend it: the checklist that people go through by
// hand, run instead of read.
//
// It looks with its own eyes: it asks each name server, each EPMD and each node,
// bounded in number and time, and changes nothing. What it does to a node is what
// transport.Prober says, and a few calls of functions that only tell. It decides
// nothing, writes nothing and never shows a cookie.
package doctor

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ehc/controller/discover"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
)

// Bounds of one examination.
const (
	maxAddrs   = 64 // addresses of one app
	maxNodes   = 64 // nodes of one app
	maxInside  = 8  // nodes of one app of which functions are called
	sideBySide = 8
	askLimit   = 5 * time.Second // one question
	maxMessage = 4 << 10         // bytes of a finding's message, in which nodes have their say
)

// Level is how serious a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Failure Level = "failure"
)

// Finding is the outcome of one check.
type Finding struct {
	Level   Level
	Check   string // a stable word, see Checks
	App     string // empty: of ehc itself
	Node    string // empty: of no node
	Reason  string // a stable word of transport's, if a dial would fail
	Message string
	Fix     string // a command, or what to write into cluster.hcl; empty if nothing is wrong
}

// World is what the checks look at. Spec and the functions are needed.
type World struct {
	Spec state.Spec
	// Lookup is os.LookupEnv, or stands in for it.
	Lookup func(string) (string, bool)
	Now    func() time.Time
	// DataDir is the controller's data folder; empty: not known here.
	DataDir string
	// Probe tries nodes.
	Probe transport.Prober
	// Caller gives what to call functions of a node with, which Probe has reached,
	// and what to do after.
	Caller func(context.Context, transport.Target) (transport.Caller, func(), error)
	// Names asks the EPMD at an address; nil: epmd.Names.
	Names func(context.Context, netip.AddrPort) ([]epmd.Entry, error)
}

// Examine looks at ehc itself and at one app, or at all if app is empty, and gives
// each finding to tell as it is made, from one goroutine at a time. It returns when
// all is looked at or ctx ends.
func Examine(ctx context.Context, w World, app string, tell func(Finding)) {
	if w.Names == nil {
		w.Names = epmd.Names
	}
	e := &examination{World: w, tell: tell}
	e.self(ctx)
	for _, a := range w.Spec.Apps {
		if (app == "" || app == a.Name) && ctx.Err() == nil {
			(&patient{examination: e, app: a}).examine(ctx)
		}
	}
	if ctx.Err() != nil {
		e.add(Finding{Level: Failure, Check: Complete, Message: "time was over before all was looked at", Fix: "ehc doctor APP, one app at a time"})
	}
}

// examination is one run of Examine.
type examination struct {
	World
	mu   sync.Mutex
	tell func(Finding)
}

func (e *examination) add(f Finding) {
	if len(f.Message) > maxMessage {
		f.Message = strings.ToValidUTF8(f.Message[:maxMessage], "") + "…"
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tell(f)
}

func (e *examination) getenv(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// onFly says whether this is one of Fly's machines.
func (e *examination) onFly() bool { return e.getenv("FLY_MACHINE_ID") != "" }

// patient is one app under examination.
type patient struct {
	*examination
	app state.App
}

func (p *patient) note(level Level, check, message, fix string) {
	p.add(Finding{Level: level, Check: check, App: p.app.Name, Message: message, Fix: fix})
}

func (p *patient) noteOf(node state.Node, level Level, check, message, fix string) {
	p.add(Finding{Level: level, Check: check, App: p.app.Name, Node: string(node), Message: message, Fix: fix})
}

// examine goes from names to addresses, from those to nodes, and into each.
func (p *patient) examine(ctx context.Context) {
	var nodes []state.Found
	for _, q := range p.app.Queries {
		nodes = append(nodes, p.query(ctx, q)...)
	}
	nodes = unique(nodes)
	if len(nodes) == 0 {
		p.note(Failure, Nodes, "no node of this app is to be found", "ehc doctor "+p.app.Name+" says above what is missing: mend that first")
		return
	}
	if len(nodes) > maxNodes {
		p.note(Warning, Nodes, many(len(nodes), "node")+"; the first "+many(maxNodes, "node")+" are tried", "ehc status shows all")
		nodes = nodes[:maxNodes]
	}
	reached := p.shake(ctx, nodes)
	if p.inside(ctx, reached[:min(len(reached), maxInside)]); len(reached) > maxInside {
		p.note(OK, Inside, "of "+many(len(reached), "node")+" only the first "+many(maxInside, "node")+" were asked about themselves", "")
	}
}

// unique is found without repeats, in its order.
func unique(found []state.Found) []state.Found {
	seen := map[state.Node]bool{}
	var out []state.Found
	for _, f := range found {
		if !seen[f.Node] {
			seen[f.Node] = true
			out = append(out, f)
		}
	}
	return out
}

// target is how to dial a node of the app.
func (p *patient) target(f state.Found) transport.Target {
	t := transport.Target{Node: string(f.Node), Addr: f.Addr, Port: p.app.Port}
	for _, secrets := range [][]state.Secret{p.app.Cookies, p.Spec.Node.Cookies} {
		if len(t.Cookies) == 0 {
			for _, s := range secrets {
				t.Cookies = append(t.Cookies, transport.NewCookie(s.Reveal()))
			}
		}
	}
	return t
}

// resolver asks one server.
func (e *examination) resolver(server netip.AddrPort) *discover.Resolver {
	return &discover.Resolver{Servers: []netip.AddrPort{server}, Timeout: e.Spec.DNS.Timeout}
}
