package controller

import (
	"context"
	"net/http"
	"slices"

	"ehc/controller/api"
	"ehc/state"
)

// Log says how the controller logs.
func (c *Controller) Log(context.Context) (api.Log, error) {
	return logJSON(*c.logs.Load()), nil
}

// SetLog changes how the controller logs, until a file is put in force.
func (c *Controller) SetLog(_ context.Context, l api.Log) (api.Log, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	s := *c.logs.Load()
	switch {
	case l.Level == "":
	case slices.Contains([]string{"trace", "debug", "info", "warn", "error"}, l.Level):
		s.Level = l.Level
	default:
		return api.Log{}, api.NewProblem(http.StatusBadRequest, "level %q: want trace, debug, info, warn or error", l.Level)
	}
	switch l.Format {
	case "":
	case "text", "json":
		s.JSON = l.Format == "json"
	default:
		return api.Log{}, api.NewProblem(http.StatusBadRequest, "format %q: want text or json", l.Format)
	}
	c.useLog(s)
	c.log.Info("log", "level", s.Level, "format", logJSON(s).Format)
	return logJSON(s), nil
}

// useLog makes the log as s says.
func (c *Controller) useLog(s state.LogSpec) {
	c.logs.Store(&s)
	if c.setLog != nil {
		c.setLog(s)
	}
}

func logJSON(s state.LogSpec) api.Log {
	if s.JSON {
		return api.Log{Level: s.Level, Format: "json"}
	}
	return api.Log{Level: s.Level, Format: "text"}
}
