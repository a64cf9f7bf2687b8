package reconcile

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

// recorder writes down what it is told to start, and fails for some nodes.
type recorder struct {
	started []string
	fails   map[state.Node]error
	after   func() // runs when something was started
}

func (r *recorder) start(what string, n state.Node) error {
	r.started = append(r.started, what+" "+string(n))
	if r.after != nil {
		r.after()
	}
	return r.fails[n]
}

func (r *recorder) Connect(_ context.Context, n state.Node) error { return r.start("connect", n) }
func (r *recorder) Prune(_ context.Context, n state.Node) error   { return r.start("prune", n) }
func (r *recorder) Resync(_ context.Context, n state.Node) error  { return r.start("resync", n) }
func (r *recorder) Drain(_ context.Context, n state.Node, app string) error {
	return r.start("drain "+app, n)
}

var fourKinds = Plan{Actions: []Action{
	{Kind: Prune, Node: "a@h", App: "media"}, {Kind: Connect, Node: "b@h", App: "media"},
	{Kind: Resync, Node: "c@h", App: "media"}, {Kind: Drain, Node: "d@h", App: "media"},
}}

func TestApplyStartsEveryActionInOrder(t *testing.T) {
	r := &recorder{}
	if err := Apply(t.Context(), fourKinds, r); err != nil {
		t.Fatal(err)
	}
	want := []string{"prune a@h", "connect b@h", "resync c@h", "drain media d@h"}
	if d := cmp.Diff(want, r.started); d != "" {
		t.Errorf("started (-want +got):\n%s", d)
	}
}

func TestApplyGoesOnAfterAFailureAndSaysWhich(t *testing.T) {
	full := errors.New("no slot")
	r := &recorder{fails: map[state.Node]error{"b@h": full, "d@h": full}}
	err := Apply(t.Context(), fourKinds, r)
	if len(r.started) != 4 {
		t.Errorf("started only %v", r.started)
	}
	var failed *ActionError
	if !errors.As(err, &failed) || failed.Action != fourKinds.Actions[1] || !errors.Is(err, full) {
		t.Errorf("error = %v", err)
	}
	if want := "connect b@h: no slot\ndrain d@h: no slot"; err.Error() != want {
		t.Errorf("error reads %q, want %q", err, want)
	}
}

func TestApplyStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{after: cancel}
	if err := Apply(ctx, fourKinds, r); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if len(r.started) != 1 {
		t.Errorf("started %v after its context had ended", r.started[1:])
	}
}
