package controller

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ehc/controller/api"
	"ehc/state"
)

// Status says how things stand, from one snapshot of the store.
func (c *Controller) Status(context.Context) (api.Status, error) {
	snap := c.store.Snapshot()
	current, problem := c.config.inForce()
	spec := c.config.Spec()
	s := api.Status{
		Index:   snap.Index(),
		Node:    string(c.config.started.Node.Name),
		Cookie:  Cookies(c.config.started.Node.Cookies)[0].Fingerprint(),
		Version: c.version,
		Config: api.Config{
			File: current.File, AppliedAt: current.At, Generation: current.Generation, Error: problem,
			RestartRequired: c.config.RestartRequired(spec),
		},
		Nodes:     nodes(snap),
		Apps:      []api.App{},
		Outbox:    c.queues(snap),
		Warnings:  slices.Concat(c.warnings, fullWarnings(c.config.dataDir), pubsubWarnings(snap, spec.PubSub)),
		Suspended: suspensions(snap.Suspended(), false).Suspended,
	}
	for _, row := range c.conditions(snap, spec.Apps) {
		of := standing(snap, row, time.Now())
		if row.App != "" {
			s.Apps = append(s.Apps, api.App{App: row.App, Conditions: of})
			continue
		}
		if i, ok := slices.BinarySearchFunc(s.Nodes, string(row.Node), byName); ok {
			s.Nodes[i].Conditions = of
		}
	}
	return s, nil
}

func byName(n api.Node, name string) int { return cmp.Compare(n.Node, name) }

// nodes are those with a connection, live or lost, and those that a query lists.
func nodes(snap state.Snapshot) []api.Node {
	out := []api.Node{}
	for _, n := range nodeRows(snap) {
		out = append(out, node(n.conn, n.listed))
	}
	return out
}

func node(c state.Conn, listed bool) api.Node {
	phase := state.Down
	if c.Phase == state.Up {
		phase = state.Up
	}
	return api.Node{
		Node: string(c.Node), App: c.App, Phase: phase.String(), Since: c.Since, Creation: c.Creation,
		Release: c.Release, Reason: c.Reason, Message: c.Message, RetryAt: c.RetryAt, Listed: listed,
	}
}

// queues are those of the apps that get events, and those in which events of an
// app that no longer does still wait.
func (c *Controller) queues(snap state.Snapshot) []api.OutboxApp {
	byApp, damage := map[string]api.OutboxApp{}, map[string]string{}
	for _, a := range c.config.Spec().Apps {
		if a.Deliver != nil {
			byApp[a.Name] = api.OutboxApp{App: a.Name}
		}
	}
	for _, s := range c.box.Stats() {
		byApp[s.App] = api.OutboxApp{App: s.App, Pending: s.Pending, Dead: s.Dead, Bytes: s.Bytes, Oldest: s.Oldest}
		if s.Damage != nil {
			damage[s.App] = s.Damage.Error()
		}
	}
	out := []api.OutboxApp{}
	for _, q := range byApp {
		b := snap.Backlog(q.App)
		q.RetryAt, q.Reason, q.Message = b.RetryAt, b.Reason, b.Message
		if q.Pending > 0 && q.Reason == "" {
			q.Reason, q.Message = whyItWaits(snap, q.App)
		}
		if why := damage[q.App]; why != "" {
			q.Reason, q.Message = "Damaged", why
		}
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b api.OutboxApp) int { return cmp.Compare(a.App, b.App) })
	return out
}

// whyItWaits is why events wait for an app with which no delivery has failed.
func whyItWaits(snap state.Snapshot, app string) (reason, message string) {
	connected := slices.ContainsFunc(snap.Conns(), func(c state.Conn) bool { return c.App == app && c.Phase == state.Up })
	for _, c := range snap.Conditions(app, "") {
		halted := c.Type == condActive && c.Status == isFalse
		if halted || c.Type == condConnected && c.Status == isFalse && !connected {
			return c.Reason, c.Message
		}
	}
	return reasonWaiting, "events wait"
}
