package main

import (
	"fmt"
	"slices"
	"time"

	"ehc/controller/api"
)

// ended says how an action came to its end; empty while it has not:
//
//	kind      has ended when
//	connect   the node is up, or is listed no longer
//	prune     the node is not up
//	resync    no plan has it and every node of its app is synced
//	drain     nothing waits for the app that waited at the start
func ended(a api.Action, status api.Status, plan api.Plan, start, now time.Time) string {
	n, known := nodeOf(status, a.Node)
	up := known && n.Phase == "up"
	took := now.Sub(start)
	switch a.Kind {
	case "connect":
		if up && n.Since.After(start) {
			took = n.Since.Sub(start)
		}
		if up {
			return "connected after " + short(took)
		}
		if !known || !n.Listed {
			return "no longer listed"
		}
	case "prune":
		if !up {
			return "pruned after " + short(took)
		}
	case "resync":
		if !up {
			return "not connected any more"
		}
		if !planned(plan, a) && conditionOf(status, a.App, "Synced").Status == "True" {
			return "resynced after " + short(took)
		}
	case "drain":
		q := queueOf(status, a.App)
		if q.Pending == 0 || q.Oldest.After(start) {
			return "delivered after " + short(took)
		}
	}
	return ""
}

// unconverged says in what a cluster is not as its file asks, one line for each
// thing; nothing when it is. pruned are the nodes that were to be pruned. What
// is held back by a grace, a guard or a suspension is as it should be.
func unconverged(status api.Status, plan api.Plan, pruned map[string]bool) []string {
	var left []string
	acted := map[string]bool{}
	for _, a := range plan.Actions {
		acted[a.Node] = true
		left = append(left, fmt.Sprintf("%s %s: %s", a.Kind, printable(a.Node), printable(a.Reason)))
	}
	for _, n := range status.Nodes {
		switch {
		case acted[n.Node] || halted(status, n.App):
		case n.Listed && n.Phase != "up":
			left = append(left, fmt.Sprintf("connect %s: %s", printable(n.Node), printable(orElse(n.Message, "not connected"))))
		case !n.Listed && n.Phase == "up" && pruned[n.Node] && !guardHolds(plan, n.Node):
			left = append(left, fmt.Sprintf("prune %s: still connected", printable(n.Node)))
		}
	}
	for _, a := range status.Apps {
		if halted(status, a.App) {
			continue
		}
		for _, c := range a.Conditions {
			unsynced := c.Type == "Synced" && c.Status != "True"
			blind := c.Type == "Discovered" && (c.Status == "Unknown" || c.Reason == "LookupFailed" || c.Reason == "EPMDUnreachable")
			if unsynced || blind {
				left = append(left, fmt.Sprintf("app %s: %s: %s", printable(a.App), printable(c.Reason), printable(c.Message)))
			}
		}
	}
	return left
}

// narrowed is what a status and a plan say of one app or one node.
func narrowed(target string, s api.Status, p api.Plan) (api.Status, api.Plan) {
	app := target
	if n, ok := nodeOf(s, target); ok {
		app = n.App
	}
	s.Nodes = slices.DeleteFunc(slices.Clone(s.Nodes), func(n api.Node) bool { return n.App != target && n.Node != target })
	s.Apps = slices.DeleteFunc(slices.Clone(s.Apps), func(a api.App) bool { return a.App != app })
	p.Actions = slices.DeleteFunc(slices.Clone(p.Actions), func(a api.Action) bool { return a.App != target && a.Node != target })
	return s, p
}

// halted says whether a person has suspended the app.
func halted(s api.Status, app string) bool {
	return slices.ContainsFunc(s.Suspended, func(x api.Suspension) bool { return x.App == app })
}

func planned(plan api.Plan, a api.Action) bool {
	for _, b := range plan.Actions {
		if a.Kind == b.Kind && a.Node == b.Node {
			return true
		}
	}
	return false
}

func guardHolds(plan api.Plan, node string) bool {
	for _, h := range plan.Held {
		if h.Node == node && h.Prune {
			return true
		}
	}
	return false
}

func nodeOf(s api.Status, node string) (api.Node, bool) {
	for _, n := range s.Nodes {
		if n.Node == node {
			return n, true
		}
	}
	return api.Node{}, false
}

func conditionOf(s api.Status, app, kind string) api.Condition {
	for _, a := range s.Apps {
		for _, c := range a.Conditions {
			if a.App == app && c.Type == kind {
				return c
			}
		}
	}
	return api.Condition{}
}

func queueOf(s api.Status, app string) api.OutboxApp {
	for _, q := range s.Outbox {
		if q.App == app {
			return q
		}
	}
	return api.OutboxApp{}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// short is a duration as people say it: 41ms, 1.2s, 1m10s.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// ago is how long ago something was, in one unit: 41s, 3m, 2h, 5d.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
