package controller

import (
	"encoding/json"
	"errors"
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
