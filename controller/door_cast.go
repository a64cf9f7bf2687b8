package controller

import (
	"context"
	"errors"
	"time"

	"ehc/controller/api"
	"ehc/transport"
	"ehc/transport/etf"
)

const (
	castsAtOnce   = 256     // events put on disk at a time, and that may wait for it
	castBytes     = 4 << 20 // of their payloads
	lastCastLimit = 2 * time.Second
)

// Cast takes a gen_server cast. It is a transport.Handler: it returns when the event is
// in line to be put on disk, and its error is for the log.
func (d *Door) Cast(ctx context.Context, _ string, args []transport.Term) (_ transport.Term, err error) {
	r, word := requestOf(args[0])
	defer func() {
		outcome := "cast"
		if err != nil {
			outcome = "bad_request"
		}
		d.meter.DoorCast(word, outcome)
	}()
	e, why := eventOf(r, word)
	if why != "" {
		return nil, errors.New(why + ": " + shortText(args[0]))
	}
	if err := checkEvent(e); err != nil { // one that is refused would hold up those beside it
		return nil, err
	}
	select {
	case d.writes <- e:
		return etf.Atom("ok"), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run puts on disk what is cast, until ctx ends and nothing waits, or lastCastLimit
// later. When it returns, no call is being answered either.
func (d *Door) run(ctx context.Context) {
	defer d.close()
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastCastLimit, cancel) })
	defer stop()
	for ctx.Err() == nil {
		select {
		case e := <-d.writes:
			d.put(late, d.waiting(e))
		case <-ctx.Done():
		}
	}
	for {
		select {
		case e := <-d.writes:
			d.put(late, d.waiting(e))
		default:
			return
		}
	}
}

// waiting is first and what waits behind it, as much as is put on disk at a time.
func (d *Door) waiting(first api.Event) []api.Event {
	events, bytes := []api.Event{first}, len(first.Payload)
	for len(events) < castsAtOnce && bytes < castBytes {
		select {
		case e := <-d.writes:
			events = append(events, e)
			bytes += len(e.Payload)
		default:
			return events
		}
	}
	return events
}

// put puts events on disk in order: together, or else one by one, so that one which is
// refused costs no other. Those of a call that failed are not there, so that to mint
// their ids anew doubles none.
func (d *Door) put(ctx context.Context, events []api.Event) {
	_, _, err := d.ctl.enqueue(ctx, events)
	if err == nil {
		return
	}
	lost := len(events)
	if len(events) > 1 {
		lost = 0
		for _, e := range events {
			if _, _, one := d.ctl.enqueue(ctx, []api.Event{e}); one != nil {
				lost, err = lost+1, one
			}
		}
	}
	if lost > 0 {
		d.log.Error("casts lost", "events", lost, "error", err)
	}
}
