package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/controller/telemetry"
	"ehc/transport"
	"ehc/transport/etf"
)

// DoorName is the registered name of the server that Elixir and Erlang apps call:
// GenServer.call({:ehc, node}, request).
const DoorName = "ehc"

// doorLimit is how long a call may take. GenServer.call gives up after five seconds
// and takes its caller down, so the answer comes before.
const doorLimit = 4 * time.Second

// answersAtOnce bounds the calls that are being answered, with those whose callers have
// been told that it takes too long.
const answersAtOnce = 1024

// Door is how apps written in Elixir or Erlang use the controller, without any code of
// ours: a gen_server named ehc. It never makes its caller exit: what is wrong with a
// request is an answer, and so is that too many of a node's calls are under way. Only a
// request of over 64 MiB does, which ends the connection.
//
//	request                                   answer
//	{:increment_visit, page}                  see below; delta is 1
//	{:increment_visit, page, delta}           "
//	{:update_likes, post, delta}              "
//	{:add_comment, post, comment}             "   comment is a map
//	{:emit, type, payload}                    "   payload is a map
//	  each of these with an id at its end     "   an event of an id counts once
//	{:get_realtime_count, key}                {:ok, integer} or an error
//	{:get_realtime_count, key, app}           the same, of this app; nil is none
//	{:count, …}                               the same
//	:status                                   {:ok, %{node: …, apps: %{"phoenix" => %{connected:
//	                                          [node], pending: n, dead: n}}}}
//	{:connected_nodes, app}                   {:ok, [node]}
//	:ping                                     :pong
//
// Writes are on disk when the answer comes. They are answered
//
//	{:ok, :delivered, id}     every app has it
//	{:ok, :buffered, id}      it waits, and is delivered when the app can be reached
//	{:error, {:dead, id}}     it was emitted before, and is a dead letter now
//	{:error, {:dropped, id}}  it was emitted before, and a person dropped it
//	{:error, {:full, text}}   the outbox has no room: it is not there
//
// where a delivery is waited for only if it is about to happen. Reads are asked of the
// app each time (see Counts for which), or fail:
//
//	{:error, :disconnected}             no node of the app is connected, or not for long enough
//	{:error, :timeout}                  no answer in time
//	{:error, {:remote, class, reason}}  what the function raised: class is :error, :exit or
//	                                    :throw; or :killed, :not_started, :answer
//	{:error, {:not_allowed, text}}      rpc.allow does not have it
//
// and everything may be answered
//
//	{:error, {:bad_request, text}}      it will not do, now or later
//	{:error, {:unavailable, text}}      not now: the disk fails, too much is under way; a write
//	                                    may be there all the same: repeat it with an id
//
// Casts take the writes, too, without an answer; what is wrong is logged. Who casts
// much loses nothing by it: casts are put on disk many at a time, in order. Functions of
// apps cannot be called here: who may, is connected to them. Who subscribes does so by
// Phoenix.PubSub itself.
type Door struct {
	log    hclog.Logger
	opened chan struct{} // closed once there is a controller
	closed chan struct{} // closed when run is about to end
	ctl    *Controller
	calls  chan struct{}  // one of each call that is being answered
	writes chan api.Event // that were cast
	meter  *telemetry.Meter
}

// NewDoor returns a door for the Options of a controller. Until there is one, who
// calls waits. meter hears of every request; it may be nil.
func NewDoor(log hclog.Logger, meter *telemetry.Meter) *Door {
	return &Door{
		log: log, meter: meter, opened: make(chan struct{}), closed: make(chan struct{}),
		calls: make(chan struct{}, answersAtOnce), writes: make(chan api.Event, castsAtOnce),
	}
}

// open lets calls through to c.
func (d *Door) open(c *Controller) {
	d.ctl = c
	close(d.opened)
}

// Call answers a gen_server call. It is a transport.Handler whose error is always nil.
func (d *Door) Call(ctx context.Context, from string, args []transport.Term) (transport.Term, error) {
	ctx, cancel := context.WithTimeout(ctx, doorLimit)
	defer cancel()
	select {
	case <-d.opened:
	case <-ctx.Done():
		return refused("unavailable", "ehc is still starting"), nil
	}
	began := time.Now()
	answer := d.inTime(ctx, args[0])
	_, word := requestOf(args[0])
	d.meter.DoorCalled(word, reasonIn(answer), time.Since(began))
	d.log.Trace("called", "from", from, "request", args[0], "answer", answer)
	return answer, nil
}

// TurnAway answers a call that the node did not let through to Call.
func (d *Door) TurnAway(why error) transport.Term {
	if errors.Is(why, transport.ErrBusy) {
		d.meter.DoorCalled("", "unavailable", 0)
		return refused("unavailable", "too many calls of this node are under way")
	}
	d.meter.DoorCalled("", "bad_request", 0)
	return refused("bad_request", "request: "+why.Error())
}

// inTime is the answer to a request, or at the end of ctx that it takes too long: a disk
// that hangs heeds no ctx, and the caller would exit.
func (d *Door) inTime(ctx context.Context, request etf.Term) etf.Term {
	select {
	case <-d.closed:
		return refused("unavailable", "ehc is stopping")
	case <-ctx.Done():
		return refused("unavailable", "too much is under way")
	case d.calls <- struct{}{}:
	}
	answered := make(chan etf.Term, 1)
	go func() { // run waits for it
		defer func() { <-d.calls }()
		answered <- d.answer(ctx, request)
	}()
	select {
	case answer := <-answered:
		return answer
	case <-ctx.Done():
	}
	select {
	case answer := <-answered:
		return answer
	default:
		return refused("unavailable", fmt.Sprintf("no end after %s: the disk may hang", doorLimit))
	}
}

// close waits for the calls that are being answered, and lets no more in.
func (d *Door) close() {
	close(d.closed)
	for range answersAtOnce {
		d.calls <- struct{}{}
	}
}

// reasonIn is the reason of an answer that is an error, else ok.
func reasonIn(answer etf.Term) string {
	t, _ := answer.(etf.Tuple)
	if len(t) < 2 || t[0] != etf.Term(etf.Atom("error")) {
		return "ok"
	}
	_, reason := requestOf(t[1])
	return reason
}

func (d *Door) answer(ctx context.Context, request etf.Term) etf.Term {
	r, word := requestOf(request)
	switch word {
	case "ping":
		if len(r) == 1 {
			return etf.Atom("pong")
		}
	case "status":
		if len(r) == 1 {
			return d.status()
		}
	case "connected_nodes":
		if app, ok := textAt(r, 1); ok && len(r) == 2 {
			return d.connectedNodes(app)
		}
		return refused("bad_request", "connected_nodes: want an app, an atom or a string, not "+shortText(request))
	case "get_realtime_count", "count":
		key, ok := textAt(r, 1)
		app, named := textAt(r, 2)
		if ok && (len(r) == 2 || len(r) == 3 && (named || isNil(r[2]))) {
			return d.count(ctx, app, key)
		}
		return refused("bad_request", word+": want a key, a string, and perhaps an app after it, not "+shortText(request))
	default:
		if e, why := eventOf(r, word); why == "" {
			return d.write(ctx, e)
		} else if why != noEvent {
			return refused("bad_request", why)
		}
	}
	return refused("bad_request", "no such request: "+shortText(request))
}

// write emits an event.
func (d *Door) write(ctx context.Context, e api.Event) etf.Term {
	r := api.EmitRequest{Events: []api.Event{e}, Wait: api.WaitConnected, WaitMillis: d.patience().Milliseconds()}
	done, err := d.ctl.Emit(ctx, r)
	if err != nil {
		return failed(err)
	}
	switch outcome := done.Outcomes[0]; outcome {
	case api.OutcomeDelivered, api.OutcomeBuffered:
		return etf.Tuple{etf.Atom("ok"), etf.Atom(outcome), done.IDs[0]}
	default:
		return etf.Tuple{etf.Atom("error"), etf.Tuple{etf.Atom(outcome), done.IDs[0]}}
	}
}

// patience is how long an app may take; the rest of doorLimit is for the disk.
func (d *Door) patience() time.Duration {
	return min(d.ctl.config.Spec().RPC.Timeout, doorLimit*3/4)
}

// count answers a counter.
func (d *Door) count(ctx context.Context, app, key string) etf.Term {
	if app == "" && d.ctl.inbox != nil {
		if _, _, ok := counterKey(key); !ok {
			return refused("bad_request", fmt.Sprintf("key %q: want NAME:KEY, such as visits:/blog", key))
		}
		own, err := d.ctl.ownCounts(ctx, api.CountsQuery{Key: key})
		if err != nil {
			return failed(err)
		}
		return etf.Tuple{etf.Atom("ok"), int(own.Counts[0].Count)}
	}
	_, n, err := d.ctl.realtimeCount(ctx, app, key, d.patience())
	if err != nil {
		return failed(err)
	}
	return etf.Tuple{etf.Atom("ok"), int(n)}
}

// status is how things stand, in short.
func (d *Door) status() etf.Term {
	up := d.connected()
	apps := etf.Map{}
	queues := map[string]api.OutboxApp{}
	for _, q := range d.ctl.queues(d.ctl.store.Snapshot()) {
		queues[q.App] = q
	}
	for _, a := range d.ctl.config.Spec().Apps {
		apps = append(apps, etf.Pair{Key: a.Name, Value: etf.Map{
			{Key: etf.Atom("connected"), Value: up[a.Name]},
			{Key: etf.Atom("pending"), Value: queues[a.Name].Pending},
			{Key: etf.Atom("dead"), Value: queues[a.Name].Dead},
		}})
	}
	return etf.Tuple{etf.Atom("ok"), etf.Map{
		{Key: etf.Atom("node"), Value: etf.Atom(d.ctl.config.started.Node.Name)},
		{Key: etf.Atom("apps"), Value: apps},
	}}
}

func (d *Door) connectedNodes(app string) etf.Term {
	nodes, ok := d.connected()[app]
	if !ok {
		return refused("bad_request", fmt.Sprintf("no app %q in cluster.hcl", app))
	}
	return etf.Tuple{etf.Atom("ok"), nodes}
}

// connected are the connected nodes of each app in the file, by name.
func (d *Door) connected() map[string]etf.List {
	up := map[string]etf.List{}
	for _, a := range d.ctl.config.Spec().Apps {
		up[a.Name] = etf.List{}
	}
	for _, n := range d.ctl.store.Snapshot().Conns() {
		if list, ok := up[n.App]; ok && d.ctl.links.Get(n.Node) != nil {
			up[n.App] = append(list, etf.Atom(n.Node))
		}
	}
	return up
}
