package controller

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/telemetry"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/inbox"
	"ehc/transport"
	"ehc/transport/etf"
)

// Receiver answers other nodes as a remote app would: it takes the events that
// they deliver, counts each once, and answers the counts. Its Functions may be
// called at once.
type Receiver struct {
	box  *inbox.Box
	spec state.Receive
	log  hclog.Logger
	// Meter hears of what comes; it may be nil.
	Meter *telemetry.Meter
	// Topics are told of every counter that changes; nil are not.
	Topics *Topics
}

// NewReceiver returns a receiver that keeps what it gets in box.
func NewReceiver(box *inbox.Box, spec state.Receive, log hclog.Logger) *Receiver {
	return &Receiver{box: box, spec: spec, log: log}
}

// Functions are what other nodes may call. An event is handled, here, when it is
// on disk that it is known and counted: before or now.
//
//	function                      is given        answers
//	the handler                   an event        :ok
//	                                              {:error, reason}     nothing has changed
//	the batch handler             a list of them  {:ok, n}             the first n are handled: all, or
//	                                                                   as many as could be for now; the
//	                                                                   rest is for another call
//	                                              {:error, n, reason}  the first n are handled, and the
//	                                                                   next is not, for that reason
//	each that answers counts      "visits:/blog"  an integer; 0 for what was never counted
//	those of About
//
// The reasons:
//
//	unknown_event_type   no type that is counted here
//	bad_event            not an event of its type, or beyond a limit: never try again
//	system_limit         one counter or one sender more than there may be
//	damaged              a row on disk that the event needs is not what was written
//	no_space             the volume is full                         no fault of the
//	unavailable          the store fails, and the log says how      event's: try again
//
// For the last two ehc as a sender waits. Another may bury an event that was refused
// too often: so while those hold, the batch handler answers {:ok, n} for the n before.
// What is no key of a counter raises badarg in the caller.
func (r *Receiver) Functions() map[transport.Function]transport.Handler {
	functions := map[transport.Function]transport.Handler{
		of(r.spec.Handler): r.one,
		of(r.spec.Batch):   r.batch,
	}
	for _, f := range r.spec.Counts {
		functions[of(f)] = r.count
	}
	r.Meter.Receives()
	return r.Meter.Served(About(functions))
}

func of(f state.Function) transport.Function {
	return transport.Function{Module: f.Module, Name: f.Name, Arity: 1}
}

func (r *Receiver) one(ctx context.Context, from string, args []transport.Term) (transport.Term, error) {
	if _, why := r.handle(ctx, from, args); why != "" {
		return etf.Tuple{etf.Atom("error"), why}, nil
	}
	return etf.Atom("ok"), nil
}

func (r *Receiver) batch(ctx context.Context, from string, args []transport.Term) (transport.Term, error) {
	list, ok := args[0].(etf.List)
	if !ok {
		return etf.Tuple{etf.Atom("error"), 0, badEvent}, nil
	}
	handled, why := r.handle(ctx, from, list[:min(len(list), inbox.MaxCall)])
	if why != "" && why != noSpace && why != unavailable {
		return etf.Tuple{etf.Atom("error"), handled, why}, nil
	}
	return etf.Tuple{etf.Atom("ok"), handled}, nil
}

// handle takes events in order, up to the first that cannot be handled, and says
// how many are, and why the next is not.
func (r *Receiver) handle(ctx context.Context, from string, terms []transport.Term) (int, etf.Atom) {
	now := time.Now()
	var events []inbox.Event
	var why etf.Atom
	for _, t := range terms {
		e, refusal := receivedEvent(t, now)
		if why = refusal; why != "" {
			break
		}
		events = append(events, e)
	}
	done, err := r.box.HandleAll(ctx, events)
	if done.Damage != nil {
		r.log.Error("forget events", "error", done.Damage)
	}
	defer func() { r.Meter.Received(len(done.Changed), done.Handled-len(done.Changed), string(why)) }()
	if r.Topics != nil {
		r.Topics.counts.add(done.Changed)
	}
	log := r.log.With("from", from, "handled", done.Handled, "new", len(done.Changed))
	switch {
	case err != nil:
		why = refusalOf(err)
		log.Error("receive", "reason", string(why), "error", err)
	case why != "":
		log.Warn("receive", "reason", string(why))
	default:
		log.Trace("received")
	}
	return done.Handled, why
}

// Why nothing can be handled for now.
const (
	noSpace     = etf.Atom("no_space")
	unavailable = etf.Atom("unavailable")
)

// refusalOf is the reason for what the inbox says.
func refusalOf(err error) etf.Atom {
	var damage *inbox.DamageError
	switch {
	case errors.Is(err, inbox.ErrInvalid):
		return badEvent
	case errors.Is(err, inbox.ErrTooMany):
		return "system_limit"
	case errors.As(err, &damage):
		return "damaged"
	case errors.Is(err, disk.ErrFull):
		return noSpace
	}
	return unavailable
}

// badarg is what Erlang's own functions raise for such an argument.
func badarg() error {
	return &transport.RaisedError{Class: "error", Reason: etf.Atom("badarg"), Text: "badarg"}
}

func (r *Receiver) count(ctx context.Context, from string, args []transport.Term) (transport.Term, error) {
	text, _ := args[0].(string)
	name, key, ok := counterKey(text)
	if !ok {
		return nil, badarg()
	}
	n, err := r.box.Count(ctx, name, key)
	if err != nil {
		r.log.Error("count", "from", from, "key", text, "error", err)
		return nil, err
	}
	return int(n), nil
}

// counterKey splits "visits:/blog" at its first colon. Without a key after it, or
// without a colon, it is not a counter's.
func counterKey(text string) (name, key string, ok bool) {
	name, key, _ = strings.Cut(text, ":")
	return name, key, name != "" && key != ""
}
