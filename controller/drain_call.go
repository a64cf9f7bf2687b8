package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
)

// verdict is how far a peer got with a parcel: it has handled the first events,
// so many, and stop says what keeps it from the next; nil if nothing does.
type verdict struct {
	handled int
	stop    *stopError
}

// stopError is why an event was not delivered.
//
//	answer or error                   reason            the event's fault
//	{error, unknown_event_type}       UnknownEventType  yes, and for good
//	it is no Erlang term              NotATerm          yes, and for good
//	{error, no_space}                 ReceiverFull      no
//	{error, unavailable}              ReceiverFailed    no
//	{error, R}, anything else         HandlerRefused    yes
//	a function below it is undefined  FunctionUndefined yes, and for good
//	raised                            HandlerRaised     yes
//	killed                            HandlerKilled     yes
//	{ok, 0}                           NoProgress        no
//	the handler itself is undefined   HandlerUndefined  no
//	not started by the peer           CallRefused       no
//	TimedOut, Disconnected, …         that word         no
//
// What is the event's fault counts as a try, and may bury it. A handler that is
// not there is no event's fault: while an app is being deployed, or is the wrong
// one, it fails every event alike, and burying for that would move a whole queue
// to the dead letters. So the queue waits, says why, and loses nothing. After a
// time-out the event may have been handled, and a slow database would bury one
// event after the other: it waits, too. So it does for what a receiver says of
// itself, and not of the event: its disk is full, or its store fails.
type stopError struct {
	reason string
	err    error
	event  bool // it is the event's fault
	final  bool // and no other try can end better
}

func (s *stopError) Error() string { return s.err.Error() }
func (s *stopError) Unwrap() error { return s.err }

// batches says whether this peer is given several events at a time.
func (d *drain) batches() bool { return d.how.Batch.Name != "" && !d.pace.each }

// send delivers a parcel. A peer that does not export the handler of batches is
// given the events one by one, from then on.
func (d *drain) send(ctx context.Context, p parcel, end time.Time) verdict {
	v := verdict{}
	exported := false
	if d.batches() && p.encoded() > 0 {
		if v, exported = d.sendBatch(ctx, p); !exported {
			d.pace.each = true
		}
	}
	if !exported {
		v = d.sendEach(ctx, p, end)
	}
	if p.bad != nil && v.handled == p.encoded() && v.stop == nil {
		v.stop = &stopError{reason: "NotATerm", err: p.bad, event: true, final: true}
	}
	return v
}

// sendEach gives the peer one event at a time, as long as the slice lasts.
func (d *drain) sendEach(ctx context.Context, p parcel, end time.Time) verdict {
	for i := range p.encoded() {
		if i > 0 && !time.Now().Before(end) {
			return verdict{handled: i}
		}
		answer, err := d.call(ctx, d.how.Module, d.how.Function, p.term(i), 1)
		if stop := eachStop(answer, err, d.how); stop != nil {
			if stop.reason == handlerUndefined {
				d.pace.each = false // who deploys it may deploy both
			}
			stop.err = fmt.Errorf("deliver %s: %w", p.events[i].ID, stop.err)
			return verdict{handled: i, stop: stop}
		}
	}
	return verdict{handled: p.encoded()}
}

// sendBatch gives the peer all of a parcel at once; exported is false if it has
// no function for that.
func (d *drain) sendBatch(ctx context.Context, p parcel) (v verdict, exported bool) {
	n := p.encoded()
	began := time.Now()
	answer, err := d.call(ctx, d.how.Batch.Module, d.how.Batch.Name, etf.Raw(p.list), n)
	if err != nil && isUndefined(err, d.how.Batch.Module, d.how.Batch.Name) {
		return verdict{}, false
	}
	v, usable := batchVerdict(answer, err, n)
	last := p.events[n-1].Seq
	switch {
	case !usable:
		d.pace.spoiled(n, last)
	case v.handled == n:
		d.pace.answered(n, last, time.Since(began), d.how.Timeout)
	}
	if v.stop != nil {
		what := p.events[v.handled].ID
		if !usable && n > 1 {
			what = fmt.Sprintf("%s and %d more", what, n-1)
		}
		v.stop.err = fmt.Errorf("deliver %s: %w", what, v.stop.err)
	}
	return v, true
}

// call gives the peer n events.
func (d *drain) call(ctx context.Context, module, function string, arg etf.Term, n int) (etf.Term, error) {
	began := time.Now()
	defer func() { d.meter.Batch(d.app, n, time.Since(began)) }()
	limit, cancel := context.WithTimeout(ctx, d.how.Timeout)
	defer cancel()
	answer, err := d.conn.Call(limit, module, function, arg)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		f := state.Callable{Module: module, Name: function, Arity: 1}
		err = fmt.Errorf("call %s on %s: %w: no answer within %s", f, d.conn.Peer().Node, transport.ErrTimeout, d.how.Timeout)
	}
	return answer, err
}

// eachStop is what the answer for one event says; nil if it was handled.
func eachStop(answer etf.Term, err error, how state.Deliver) *stopError {
	switch {
	case err != nil && isUndefined(err, how.Module, how.Function):
		return &stopError{reason: handlerUndefined, err: err}
	case err != nil:
		return callStop(err)
	case answer == etf.Term(etf.Atom("ok")):
		return nil
	}
	return refusal(answer)
}

// batchVerdict is what the answer for a batch of n events says:
//
//	ok                  all are handled
//	{ok, H}             the first H are; the others come again
//	{error, H, R}       the first H are, and R is why the next one is not
//	anything else       not usable: nobody knows which are handled. Only if the
//	                    event was alone is it taken for the event's fault.
func batchVerdict(answer etf.Term, err error, n int) (v verdict, usable bool) {
	t, _ := answer.(etf.Tuple)
	switch {
	case err != nil:
		v.stop = callStop(err)
		v.stop.event, v.stop.final = v.stop.event && n == 1, v.stop.final && n == 1
		return v, false
	case answer == etf.Term(etf.Atom("ok")):
		return verdict{handled: n}, true
	case len(t) == 2 && t[0] == etf.Term(etf.Atom("ok")) && within(t[1], n):
		v.handled = t[1].(int)
		if v.handled == 0 {
			v.stop = &stopError{reason: "NoProgress", err: errors.New("handler answered {ok,0}: it has handled none")}
		}
		return v, true
	case len(t) == 3 && t[0] == etf.Term(etf.Atom("error")) && within(t[1], n-1):
		return verdict{handled: t[1].(int), stop: refusal(etf.Tuple{t[0], t[2]})}, true
	}
	v.stop = refusal(answer)
	v.stop.event, v.stop.final = v.stop.event && n == 1, v.stop.final && n == 1
	return v, false
}

func within(t etf.Term, most int) bool {
	n, ok := t.(int)
	return ok && 0 <= n && n <= most
}

// refusal is the stop for an answer that is not ok.
func refusal(answer etf.Term) *stopError {
	s := &stopError{reason: "HandlerRefused", err: fmt.Errorf("handler answered %s", etf.Text(answer)), event: true}
	t, ok := answer.(etf.Tuple)
	if !ok || len(t) != 2 || t[0] != etf.Term(etf.Atom("error")) {
		return s
	}
	switch t[1] {
	case etf.Term(etf.Atom("unknown_event_type")):
		s.reason, s.final = "UnknownEventType", true
	case etf.Term(noSpace):
		s.reason, s.event = "ReceiverFull", false
	case etf.Term(unavailable):
		s.reason, s.event = "ReceiverFailed", false
	}
	return s
}

const handlerUndefined = "HandlerUndefined"

// callStop is the stop for a call that did not return.
func callStop(err error) *stopError {
	var raised *transport.RaisedError
	var signal *transport.SignalError
	var spawn *transport.SpawnError
	switch {
	case errors.As(err, &raised) && raised.Reason == etf.Term(etf.Atom("undef")):
		return &stopError{reason: "FunctionUndefined", err: err, event: true, final: true}
	case errors.As(err, &raised):
		return &stopError{reason: "HandlerRaised", err: err, event: true}
	case errors.As(err, &signal):
		return &stopError{reason: "HandlerKilled", err: err, event: true}
	case errors.As(err, &spawn):
		return &stopError{reason: "CallRefused", err: err}
	}
	return &stopError{reason: transport.Reason(err), err: err}
}

// isUndefined says that a call failed because module:function/1 itself is not
// there, and not because of something that it called.
func isUndefined(err error, module, function string) bool {
	var raised *transport.RaisedError
	if !errors.As(err, &raised) || raised.Reason != etf.Term(etf.Atom("undef")) {
		return false
	}
	stack, _ := raised.Stack.(etf.List)
	if len(stack) == 0 {
		return true // it does not say
	}
	top, _ := stack[0].(etf.Tuple)
	if len(top) < 3 || top[0] != etf.Term(etf.Atom(module)) || top[1] != etf.Term(etf.Atom(function)) {
		return false
	}
	args, isList := top[2].(etf.List)
	return isList && len(args) == 1 || top[2] == etf.Term(1)
}
