package controller

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"ehc/controller/api"
)

func TestEmitRefusesWhatCanNeverBeDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for name, e := range map[string]api.Event{
			"no type":                {Payload: json.RawMessage(`{}`)},
			"a payload that is none": {Type: "x", Payload: json.RawMessage(`[1]`)},
			"a key that is no atom":  {Type: "x", Payload: json.RawMessage(`{"` + strings.Repeat("k", 300) + `":1}`)},
			"an app without events":  {Type: "x", App: "nobody"},
		} {
			var problem *api.Problem
			_, err := w.ctl.Emit(t.Context(), api.EmitRequest{Events: []api.Event{{Type: "ok"}, e}})
			if !errors.As(err, &problem) || problem.Status >= 500 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if q := w.status().Outbox[0]; q.Pending != 0 {
			t.Errorf("part of a refused request was kept: %+v", q)
		}
	})
}

func TestAnInvalidEventIsABadRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var problem *api.Problem
		_, err := w.ctl.Emit(t.Context(), api.EmitRequest{Events: []api.Event{{Type: "x", ID: strings.Repeat("i", 200)}}})
		if !errors.As(err, &problem) || problem.Status != 400 {
			t.Errorf("got %v", err)
		}
		if _, err := w.ctl.Outbox(t.Context(), api.OutboxQuery{After: 3}); !errors.As(err, &problem) || problem.Status != 400 {
			t.Errorf("got %v", err)
		}
	})
}

// TestAnAppThatIsUnknownHasNoQueue: a name mistyped is no queue without events.
func TestAnAppThatIsUnknownHasNoQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for name, ask := range map[string]func(app string) error{
			"list": func(app string) error { _, err := w.ctl.Outbox(t.Context(), api.OutboxQuery{App: app}); return err },
			"find": func(app string) error {
				_, err := w.ctl.Outbox(t.Context(), api.OutboxQuery{App: app, ID: "1"})
				return err
			},
			"retry": func(app string) error {
				_, err := w.ctl.Retry(t.Context(), api.OutboxSelection{App: app, All: true})
				return err
			},
			"drop": func(app string) error {
				_, err := w.ctl.Drop(t.Context(), api.OutboxSelection{App: app, All: true})
				return err
			},
		} {
			var p *api.Problem
			if err := ask("typo"); !errors.As(err, &p) || p.Status != http.StatusNotFound {
				t.Errorf("%s of an app that is unknown: %v", name, err)
			}
			for _, app := range []string{"a", ""} {
				if err := ask(app); err != nil {
					t.Errorf("%s of %q: %v", name, app, err)
				}
			}
		}
	})
}
