package controller

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
	"ehc/state"
)

func TestStoppedMachinesAreACondition(t *testing.T) {
	cases := []struct {
		name     string
		machines *state.Machines // nil: the lookup has failed
		want     api.Condition
	}{
		{"all are started", &state.Machines{Deployed: 3},
			api.Condition{Type: "Running", Status: "True", Reason: "Running", Message: "3 of 3 machines started"}},
		{"some are stopped", &state.Machines{Deployed: 3, Stopped: 1, Which: "148e45 in lhr"},
			api.Condition{Type: "Running", Status: "False", Reason: "MachineStopped", Message: "2 of 3 machines started; stopped: 148e45 in lhr"}},
		{"there is none", &state.Machines{},
			api.Condition{Type: "Running", Status: "False", Reason: "NoMachines", Message: "Fly lists no machine"}},
		{"nobody knows yet", nil,
			api.Condition{Type: "Running", Status: "Unknown", Reason: "NotLookedUp", Message: "the machines are not known yet"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, strings.Replace(worldText, "a.internal", "fly:a", 1))
				if c.machines != nil {
					if err := w.store.RecordAnswer("a", "fly:a", state.Answer{Machines: *c.machines}, time.Now()); err != nil {
						t.Fatal(err)
					}
				}
				got := w.condition("Running")
				got.Since, got.ObservedGeneration = time.Time{}, 0
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				w.settle(time.Minute)
			})
		})
	}
}

func TestAnAppThatDoesNotAskFlyHasNoMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if c := newWorld(t).condition("Running"); c != (api.Condition{}) {
			t.Errorf("condition = %+v", c)
		}
	})
}
