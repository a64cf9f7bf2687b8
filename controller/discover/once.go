package discover

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"ehc/state"
)

// errLate is the outcome of a lookup that ran out of time as a whole.
var errLate = errors.New("no outcome in time")

// Once looks every query of apps up once, whatever the Poller polls, and
// returns when all outcomes are recorded in store, which need not be the
// Poller's: a plan about a file that is not in force has a store of its own.
//
// If ctx's deadline passes first, the lookups under way are recorded as failed
// and that is no error. If ctx is cancelled, Once returns its error.
func (p *Poller) Once(ctx context.Context, store Recorder, apps []state.App, dns state.DNSSpec) error {
	var group errgroup.Group
	slots := map[string]chan struct{}{}
	for k, j := range jobs(apps, dns) {
		if slots[k.app] == nil {
			slots[k.app] = make(chan struct{}, perApp)
		}
		slot := slots[k.app]
		group.Go(func() error {
			answer, err := p.lookOnce(ctx, slot, j)
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return record(store, k, answer, err)
		})
	}
	return group.Wait()
}

func (p *Poller) lookOnce(ctx context.Context, slot chan struct{}, j job) (state.Answer, error) {
	select {
	case slot <- struct{}{}:
		defer func() { <-slot }()
	case <-ctx.Done():
		return state.Answer{}, errLate
	}
	answer, err := p.find(ctx, j.dns, j.app, j.lookup)
	if err != nil && ctx.Err() != nil {
		err = errLate
	}
	return answer, err
}
