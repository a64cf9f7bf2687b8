package main

import (
	"context"
	"time"

	"ehc/controller"
	"ehc/controller/api"
	"ehc/controller/discover"
	"ehc/reconcile"
	"ehc/state"
)

// lookLimit bounds the lookups of an offline plan.
const lookLimit = 15 * time.Second

// planOffline plans what file asks for without a controller: it looks
// everything up from here and supposes that nothing is connected and that
// nothing waits. The plan has index 0, which no controller is ever at.
func planOffline(ctx context.Context, io *streams, file string, probe bool) (api.Plan, error) {
	spec, err := parseFile(io, file)
	if err != nil {
		return api.Plan{}, err
	}
	store, err := state.New()
	if err != nil {
		return api.Plan{}, err
	}
	if err := store.SetSpec(spec, io.now()); err != nil {
		return api.Plan{}, err
	}
	limit, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if err := discover.NewPoller(store, spec.Node, nil).Once(limit, store, spec.Apps, spec.DNS); err != nil {
		return api.Plan{}, err
	}
	snap := store.Snapshot()
	plan := controller.PlanJSON(0, reconcile.Diff(snap.Desired(), snap.Live(), io.now()))
	for _, q := range snap.Queries() {
		if q.Err != "" {
			plan.Warnings = append(plan.Warnings, "query "+q.Name+" of "+q.App+" failed: "+q.Err)
		}
	}
	if !probe {
		return plan, nil
	}
	prober, err := newProber(spec.Node)
	if err != nil {
		return api.Plan{}, err
	}
	plan.Probes = controller.Probe(ctx, prober, snap, spec, plan.Actions)
	return plan, nil
}
