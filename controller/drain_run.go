package controller

import (
	"context"
	"errors"
	"time"

	"ehc/controller/history"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
	"ehc/transport"
	"ehc/transport/etf"
)

const (
	// drainSlice is how long one drain goes on while events keep coming; then
	// it ends, so that the next pass may choose another node.
	drainSlice = 2 * time.Second
	// drainBatch is how many events that go one by one are read, and struck out,
	// at a time. A crash makes those that are not struck out yet come again,
	// under the same ids: at most twice as many, or two batches.
	drainBatch = 256
	// batchBytes bounds the payloads of one batch, beyond its first event.
	batchBytes = 1 << 20
)

// progress is how many events left a queue.
type progress struct{ delivered, buried int }

// drain delivers an app's events through c until none waits, its slice is used up
// or something stops it: a *stopError if that was the peer.
func (e *effects) drain(ctx context.Context, c transport.Conn, a state.App) (progress, error) {
	d := &drain{effects: e, conn: c, app: a.Name, how: *a.Deliver, pace: e.queues.pace(c, a.Name, e.links)}
	err := d.expire(ctx)
	if err == nil {
		err = d.run(ctx)
	}
	// Also when ctx has ended: the peer has them.
	if serr := d.struck(); serr != nil {
		err = serr
	}
	return d.moved, err
}

// drain is one drain under way. While the peer is at one parcel of events, the
// one before is struck out and the one behind is read and encoded:
//
//	read     2       3       4
//	call     1       2       3
//	strike           1       2
type drain struct {
	*effects
	conn  transport.Conn
	app   string
	how   state.Deliver
	pace  *pace
	moved progress

	striking *strike // the one under way; nil if there is none
}

// strike is events that the peer has handled and that are being struck out.
type strike struct {
	events int
	done   chan error
}

// parcel is events to deliver, in order.
type parcel struct {
	events []outbox.Event
	list   []byte // of the events, encoded
	ends   []int  // where in it its head and each event ends; fewer if one cannot be encoded
	bad    error  // why that is
	err    error  // reading failed
}

func (p parcel) last() uint64 { return p.events[len(p.events)-1].Seq }

// term is the event i, encoded.
func (p parcel) term(i int) etf.Term {
	return etf.Raw(p.list[p.ends[i]:p.ends[i+1]])
}

// encoded is how many events are.
func (p parcel) encoded() int { return max(len(p.ends)-1, 0) }

func (d *drain) run(ctx context.Context) error {
	end := time.Now().Add(drainSlice)
	next := d.read(ctx, 0)
	for next.err == nil && len(next.events) > 0 && time.Now().Before(end) {
		p := next
		ahead := d.readAhead(ctx, p.last())
		began := time.Now()
		v := d.send(ctx, p, end)
		d.tried(ctx, p, v, began)
		err := d.settle(ctx, p, v)
		next = <-ahead
		switch {
		case err != nil:
			return err
		case v.handled < len(p.events):
			next = d.read(ctx, 0) // what was not handled goes first, or is buried
		case next.err == nil && len(next.events) == 0:
			next = d.read(ctx, p.last()) // what came meanwhile
		}
	}
	return next.err
}

// tried traces what was sent: the events handled, and the one that was not.
func (d *drain) tried(ctx context.Context, p parcel, v verdict, began time.Time) {
	node := d.conn.Peer().Node
	d.tracer.Tried(ctx, node, p.events[:v.handled], began, "")
	if v.stop != nil {
		d.tracer.Tried(ctx, node, p.events[v.handled:v.handled+1], began, v.stop.reason)
	}
}

// settle strikes out what was handled, and deals with the event that was not.
func (d *drain) settle(ctx context.Context, p parcel, v verdict) error {
	if v.handled > 0 {
		if err := d.strike(ctx, p.events[v.handled-1].Seq, v.handled); err != nil {
			return err
		}
	}
	if v.handled == len(p.events) {
		return nil
	}
	if err := d.struck(); err != nil || v.stop == nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.refused(ctx, p.events[v.handled], v.stop)
}

// refused notes that ev was not taken, and buries it if that cannot change or has
// happened too often: then the queue moves on, and nil is returned.
func (d *drain) refused(ctx context.Context, ev outbox.Event, stop *stopError) error {
	if !stop.event {
		return stop
	}
	if !stop.final && (d.how.Tries == 0 || ev.Tries+1 < d.how.Tries) {
		if err := d.box.Failed(ctx, d.app, ev.Seq, stop.Error()); err != nil && !errors.Is(err, outbox.ErrNotWaiting) {
			return err
		}
		return stop
	}
	err := d.box.Bury(ctx, d.app, ev.Seq, stop.reason, stop.Error(), time.Now())
	var full *outbox.DeadFullError
	switch {
	case errors.As(err, &full):
		return &stopError{reason: "DeadLettersFull", err: full}
	case errors.Is(err, outbox.ErrNotWaiting): // a person has dropped it meanwhile
		return nil
	case err != nil:
		return err
	}
	d.moved.buried++
	d.tell(history.Entry{
		Kind: history.DeadLetter, Warning: true, App: d.app, Node: d.conn.Peer().Node, Reason: stop.reason,
		Message: "an event of type " + ev.Type + ": ehc outbox list -dead",
	})
	d.log.Warn("dead letter", "app", d.app, "id", ev.ID, "type", ev.Type, "tries", ev.Tries+1, "reason", stop.reason, "error", stop)
	return nil
}

// atOnce is how many events the next parcel has.
func (d *drain) atOnce() int {
	if d.batches() {
		return min(d.pace.size, d.how.MaxBatch)
	}
	return drainBatch
}

// read reads and encodes what waits behind the event after.
func (d *drain) read(ctx context.Context, after uint64) parcel {
	return d.pack(ctx, after, d.atOnce())
}

// readAhead is read, meanwhile. Its outcome has to be taken.
func (d *drain) readAhead(ctx context.Context, after uint64) <-chan parcel {
	n := d.atOnce() // before the peer's answer changes it
	ahead := make(chan parcel, 1)
	go func() { ahead <- d.pack(ctx, after, n) }()
	return ahead
}

func (d *drain) pack(ctx context.Context, after uint64, n int) parcel {
	events, err := d.box.Head(ctx, d.app, after, n)
	p := parcel{events: events, err: err}
	if len(events) > 0 {
		p.encode()
	}
	return p
}

// besidePayload is about how long an encoded event is, beside its payload.
const besidePayload = 320

// encode makes the list, and leaves out the events that are too much.
func (p *parcel) encode() {
	bytes, most := 0, 0
	for i, ev := range p.events {
		if bytes += len(ev.Payload); bytes > batchBytes && i > 0 {
			p.events = p.events[:i]
			break
		}
		most += len(ev.Payload) + besidePayload
	}
	p.list = etf.AppendListHeader(make([]byte, 0, most), 0)
	p.ends = append(make([]int, 0, 1+len(p.events)), len(p.list))
	var to encoder
	for _, ev := range p.events {
		if p.list, p.bad = to.append(p.list, ev); p.bad != nil {
			break
		}
		p.ends = append(p.ends, len(p.list))
	}
	etf.AppendListHeader(p.list[:0], p.encoded())
	p.list = etf.AppendNil(p.list)
}

// strike begins to strike out events that the peer has handled, n of them up to
// through, once the strike before has ended.
func (d *drain) strike(ctx context.Context, through uint64, n int) error {
	if err := d.struck(); err != nil {
		return err
	}
	s := &strike{events: n, done: make(chan error, 1)}
	d.striking = s
	go func() { s.done <- d.box.Delivered(context.WithoutCancel(ctx), d.app, through) }()
	return nil
}

// struck returns when no strike is under way.
func (d *drain) struck() error {
	if d.striking == nil {
		return nil
	}
	s := d.striking
	d.striking = nil
	if err := <-s.done; err != nil {
		return err // they still wait, and come again
	}
	d.moved.delivered += s.events
	return nil
}

// expire buries what has waited for too long. Where there is no room for dead
// letters the peer gets those events: late is better than a queue that stands, and
// on a full volume delivery is what makes room.
func (d *drain) expire(ctx context.Context) error {
	n, _, err := d.box.Expire(ctx, d.app, time.Now())
	if d.moved.buried += n; n > 0 {
		d.tellExpired(d.app, n)
	}
	var full *outbox.DeadFullError
	if errors.As(err, &full) || errors.Is(err, disk.ErrFull) {
		return nil
	}
	return err
}
