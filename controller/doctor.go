package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/controller/doctor"
	"ehc/state"
	"ehc/transport"
)

// doctorLimit bounds one examination.
const doctorLimit = time.Minute

// Doctor examines this controller and its apps from where it stands, with the links
// that are up; see package doctor.
func (c *Controller) Doctor(ctx context.Context, app string) (api.Examination, error) {
	if app != "" {
		if err := c.knownApp(app); err != nil {
			return api.Examination{}, err
		}
	}
	limit, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	out := api.Examination{Findings: []api.Finding{c.configFinding()}}
	w := doctor.World{
		Spec: c.config.Spec(), Lookup: c.config.env.Lookup, Now: time.Now, DataDir: c.config.dataDir, Probe: c.prober,
		Caller: func(_ context.Context, t transport.Target) (transport.Caller, func(), error) {
			conn := c.links.Get(state.Node(t.Node))
			if conn == nil {
				return nil, nil, fmt.Errorf("call %s: %w", t.Node, transport.ErrDown)
			}
			return conn, func() {}, nil
		},
	}
	doctor.Examine(limit, w, app, func(f doctor.Finding) { out.Findings = append(out.Findings, FindingJSON(f)) })
	if err := ctx.Err(); err != nil {
		return api.Examination{}, err
	}
	return out, nil
}

// configFinding says whether the newest version of the file is in force.
func (c *Controller) configFinding() api.Finding {
	current, problem := c.config.inForce()
	f := doctor.Finding{Check: doctor.ConfigFile, Level: doctor.OK, Message: fmt.Sprintf("%s is in force, generation %d", current.File, current.Generation)}
	restart := c.config.RestartRequired(c.config.Spec())
	switch {
	case problem != "":
		f.Level, f.Message, f.Fix = doctor.Failure, "the newest version of the file is not in force: "+problem, "ehc validate "+current.File
	case len(restart) > 0:
		f.Level, f.Message, f.Fix = doctor.Warning, "fixed at start, and changed since: "+strings.Join(restart, ", "), "start ehc run anew"
	}
	return FindingJSON(f)
}

// FindingJSON is f as the API gives it.
func FindingJSON(f doctor.Finding) api.Finding {
	return api.Finding{
		Level: string(f.Level), Check: f.Check, App: f.App, Node: f.Node, Reason: f.Reason, Message: f.Message, Fix: f.Fix,
	}
}
