package controller

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/state"
)

func TestASuspendedAppIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.peer("a1@127.0.0.1", nil)
		late := w.peer("a2@127.0.0.1", nil)
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		before := w.status().Index
		if got, err := w.ctl.Suspend(t.Context(), api.SuspendRequest{App: "a"}); err != nil || !got.Changed || len(got.Suspended) != 1 {
			t.Fatalf("suspend: %+v, %v", got, err)
		}
		if w.status().Index == before {
			t.Error("a suspension moves no index: a plan made before would still be applied")
		}
		w.emit(3)
		w.list("a2@127.0.0.1") // a1 is not listed any more
		w.settle(10 * time.Minute)
		if late.Dials() != 0 || len(w.arrived()) != 0 {
			t.Errorf("%d dials, %d events delivered", late.Dials(), len(w.arrived()))
		}
		if c := w.condition("Active"); c.Status != "False" || c.Reason != "Suspended" {
			t.Errorf("condition %+v", c)
		}
		s := w.status()
		if s.Nodes[0].Phase != "up" || len(s.Suspended) != 1 || s.Suspended[0].App != "a" {
			t.Errorf("status %+v", s)
		}
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{})
		if err != nil || len(plan.Actions) != 0 || len(plan.Held) != 2 || plan.Held[0].Reason != "suspended" || plan.Suspended[0] != "a" {
			t.Errorf("plan %+v, %v", plan, err)
		}

		if got, err := w.ctl.Resume(t.Context(), api.SuspendRequest{App: "a"}); err != nil || !got.Changed || len(got.Suspended) != 0 {
			t.Fatalf("resume: %+v, %v", got, err)
		}
		w.settle(10 * time.Minute)
		if late.Dials() != 1 || len(w.arrived()) != 3 || w.condition("Active").Status != "True" {
			t.Errorf("after resume: %d dials, %d events, %+v", late.Dials(), len(w.arrived()), w.condition("Active"))
		}
	})
}

func TestOnlyAnAppThatIsThereIsSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, ask := range []func() error{
			func() error { _, err := w.ctl.Suspend(t.Context(), api.SuspendRequest{App: "b"}); return err },
			func() error { _, err := w.ctl.Resume(t.Context(), api.SuspendRequest{App: "b"}); return err },
		} {
			var p *api.Problem
			if err := ask(); !errors.As(err, &p) || p.Status != 404 || !strings.Contains(p.Detail, "has a") {
				t.Errorf("of an app that is not there: %v", err)
			}
		}
	})
}

func TestASuspensionOutlivesARestart(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	c := p.mustOpen()
	rows := []state.Suspension{{App: "a", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	if err := c.saveSuspended(rows); err != nil {
		t.Fatal(err)
	}
	got, err := p.mustOpen().readSuspended()
	if err != nil || len(got) != 1 || got[0] != rows[0] {
		t.Errorf("after a restart %+v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(p.data, suspendedFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.readSuspended(); err == nil || !strings.Contains(err.Error(), suspendedFile) {
		t.Errorf("a broken file gives %v", err)
	}
}
