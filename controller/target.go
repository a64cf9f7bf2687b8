package controller

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ehc/controller/api"
	"ehc/state"
)

// target leaves of a plan only what is about one app or one node, which has to be
// known: to the facts that the plan supposes, or to those of now.
func target(p *api.Plan, name string, supposed, now state.Snapshot) error {
	if targetApps(name, supposed, now) == nil {
		return api.NewProblem(http.StatusUnprocessableEntity,
			"target %q: no peer block has this name, and no node: ehc get nodes shows those that there are", name)
	}
	p.Target = name
	p.Actions = slices.DeleteFunc(p.Actions, func(a api.Action) bool { return a.App != name && a.Node != name })
	p.Held = slices.DeleteFunc(p.Held, func(h api.Hold) bool { return h.App != name && h.Node != name })
	return nil
}

// targetApps are the apps that a target is, or that its node is of; nil if nobody
// knows it.
func targetApps(name string, all ...state.Snapshot) []string {
	var apps []string
	for _, snap := range all {
		if _, ok := snap.App(name); ok {
			apps = append(apps, name)
		}
		for _, p := range snap.Peers() {
			if p.Node == state.Node(name) {
				apps = append(apps, p.App)
			}
		}
		if c := snap.Conn(state.Node(name)); c.Node != "" {
			apps = append(apps, c.App)
		}
	}
	return apps
}

// onlyTarget refuses a plan of a file that changes more than the target's block.
func onlyTarget(p api.Plan, name string, now state.Snapshot) error {
	apps := append(targetApps(name, now), name)
	for _, a := range p.Actions {
		apps = append(apps, a.App)
	}
	var others []string
	for _, x := range p.Changes {
		if !slices.ContainsFunc(apps, func(app string) bool { return x.Block == fmt.Sprintf("peer %q", app) }) {
			others = append(others, x.Block)
		}
	}
	if len(others) > 0 {
		return api.NewProblem(http.StatusUnprocessableEntity,
			"target %s: the file also changes %s; apply it without a target, or take that back", name, strings.Join(others, ", "))
	}
	return nil
}
