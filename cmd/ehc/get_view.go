package main

import (
	"fmt"
	"reflect"

	"ehc/controller/api"
)

// list is things of one kind as a table and as JSON.
type list struct {
	name    string
	head    []string
	rows    []item
	partial bool     // only what has changed
	gone    []string // what was there before
}

// item is one thing: its name, what the API says of it, and its line.
type item struct {
	name  string
	value any
	cells []string
}

func (l list) items() []any {
	out := []any{}
	for _, r := range l.rows {
		out = append(out, r.value)
	}
	return out
}

// text is the table; empty if there is nothing in it.
func (l list) text() string {
	if len(l.rows)+len(l.gone) == 0 {
		return ""
	}
	t := table{}
	t.add(l.head...)
	for _, r := range l.rows {
		t.add(r.cells...)
	}
	for _, name := range l.gone {
		t.add(name, "gone")
	}
	return t.text()
}

// since is what is other in l than it was before.
func (l list) since(before list) list {
	was := map[string]any{}
	for _, r := range before.rows {
		was[r.name] = r.value
	}
	out := list{name: l.name, head: l.head, partial: true}
	for _, r := range l.rows {
		old, had := was[r.name]
		delete(was, r.name)
		if !had || !reflect.DeepEqual(old, r.value) {
			out.rows = append(out.rows, r)
		}
	}
	for _, r := range before.rows {
		if _, gone := was[r.name]; gone {
			out.gone = append(out.gone, r.name)
		}
	}
	return out
}

// listers make the list of a kind from a status: of one name, or of one app.
var listers = map[string]func(s api.Status, name string, v statusView) list{
	"nodes":  func(s api.Status, name string, v statusView) list { return nodeList("nodes", s, name, v) },
	"peers":  func(s api.Status, name string, v statusView) list { return nodeList("peers", s, name, v) },
	"apps":   appList,
	"outbox": queueList,
}

func nodeList(kind string, s api.Status, name string, v statusView) list {
	v.status = api.Status{}
	for _, n := range s.Nodes {
		if (name == "" || name == n.Node || name == n.App) && (kind == "nodes" || n.Listed) {
			v.status.Nodes = append(v.status.Nodes, n)
		}
	}
	t := v.nodes()
	l := list{name: kind, head: t.rows[0]}
	for i, n := range v.status.Nodes {
		l.rows = append(l.rows, item{name: n.Node, value: n, cells: t.rows[i+1]})
	}
	return l
}

// appSummary is an app with what else a status says of it.
type appSummary struct {
	api.App
	Listed    int            `json:"listed"`
	Up        int            `json:"up"`
	Suspended bool           `json:"suspended"`
	Outbox    *api.OutboxApp `json:"outbox,omitempty"` // of an app that gets events
}

func appList(s api.Status, name string, v statusView) list {
	l := list{name: "apps", head: []string{"APP", "UP", "OK", "PENDING", "DEAD", "NOT", "REASON", "MESSAGE"}}
	if v.wide {
		l.head = []string{"APP", "UP", "OK", "PENDING", "DEAD", "NOT", "SINCE", "REASON", "MESSAGE"}
	}
	for _, a := range s.Apps {
		if name != "" && name != a.App {
			continue
		}
		x := summary(s, a)
		pending, dead := "-", "-"
		if x.Outbox != nil {
			pending, dead = fmt.Sprint(x.Outbox.Pending), fmt.Sprint(x.Outbox.Dead)
		}
		bad := worst(a)
		cells := []string{a.App, fmt.Sprintf("%d/%d", x.Up, x.Listed), yesNo(bad.Type == ""), pending, dead, orElse(bad.Type, "-")}
		if v.wide {
			cells = append(cells, v.when(bad.Since))
		}
		l.rows = append(l.rows, item{name: a.App, value: x, cells: append(cells, orElse(bad.Reason, "-"), bad.Message)})
	}
	return l
}

func summary(s api.Status, a api.App) appSummary {
	x := appSummary{App: a, Suspended: halted(s, a.App)}
	for _, n := range s.Nodes {
		if n.App == a.App && n.Listed {
			x.Listed++
			if n.Phase == "up" {
				x.Up++
			}
		}
	}
	for _, q := range s.Outbox {
		if q.App == a.App {
			x.Outbox = &q
		}
	}
	return x
}

// worst is the first condition of an app that does not hold; the zero Condition if
// all do.
func worst(a api.App) api.Condition {
	for _, c := range a.Conditions {
		if c.Status == "False" {
			return c
		}
	}
	return api.Condition{}
}

func queueList(s api.Status, name string, v statusView) list {
	var queues []api.OutboxApp
	for _, q := range s.Outbox {
		if name == "" || name == q.App {
			queues = append(queues, q)
		}
	}
	t := queueTable(queues, v.now, v.wide)
	l := list{name: "outbox", head: t.rows[0]}
	for i, q := range queues {
		l.rows = append(l.rows, item{name: q.App, value: q, cells: t.rows[i+1]})
	}
	return l
}
