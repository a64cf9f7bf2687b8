package reconcile

import (
	"context"
	"errors"
	"fmt"

	"ehc/state"
)

// Effects is what a pass can do to the world. Each method starts its action and
// returns at once. Before it returns it marks the row (RecordDialling,
// RecordPruned, RecordResyncing, RecordDraining), so that the next pass does not start
// the same again; how the action ends is written to the same row later. An error
// means that the action was not started. Apply calls one method at a time.
type Effects interface {
	Connect(ctx context.Context, n state.Node) error
	Prune(ctx context.Context, n state.Node) error
	Resync(ctx context.Context, n state.Node) error
	Drain(ctx context.Context, n state.Node, app string) error
}

// ActionError says that one action of a plan was not started, and why.
type ActionError struct {
	Action Action
	Err    error
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Action.Kind, e.Action.Node, e.Err)
}

func (e *ActionError) Unwrap() error { return e.Err }

// Apply starts every action of p in turn and waits for none of them to end. One
// that could not be started does not stop the rest; the error joins an
// *ActionError for each. When ctx ends, Apply starts no more and joins its error.
func Apply(ctx context.Context, p Plan, do Effects) error {
	var errs []error
	for _, a := range p.Actions {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if err := start(ctx, a, do); err != nil {
			errs = append(errs, &ActionError{Action: a, Err: err})
		}
	}
	return errors.Join(errs...)
}

func start(ctx context.Context, a Action, do Effects) error {
	switch a.Kind {
	case Prune:
		return do.Prune(ctx, a.Node)
	case Connect:
		return do.Connect(ctx, a.Node)
	case Resync:
		return do.Resync(ctx, a.Node)
	case Drain:
		return do.Drain(ctx, a.Node, a.App)
	default:
		panic(fmt.Sprintf("reconcile: action of kind %d", a.Kind))
	}
}
