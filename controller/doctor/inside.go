package doctor

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
)

// The OTP releases that ehc is tested with.
const firstOTP, lastOTP = 25, 29

// maxSkew is how far two clocks may be apart.
const maxSkew = 2 * time.Second

// inside asks nodes about themselves.
func (p *patient) inside(ctx context.Context, nodes []state.Found) {
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, n := range nodes {
		group.Go(func() error {
			limit, cancel := context.WithTimeout(ctx, 2*askLimit)
			defer cancel()
			c, done, err := p.Caller(limit, p.target(n))
			if errors.Is(err, transport.ErrDown) {
				p.noteOf(n.Node, Warning, Inside, "ehc is not connected to it now, so it was not asked about itself", "ehc plan says why not")
				return nil
			}
			if err != nil {
				p.noteOf(n.Node, Failure, Inside, "no call can be made: "+transport.Why(err), "ehc doctor "+p.app.Name+", again: it may have gone a moment ago")
				return nil
			}
			defer done()
			i := &inquiry{patient: p, node: n.Node, call: c}
			i.otp(limit)
			i.tick(limit)
			i.clock(limit)
			i.handler(limit)
			i.pubsub(limit)
			return nil
		})
	}
	_ = group.Wait()
}

// inquiry is one node being asked.
type inquiry struct {
	*patient
	node state.Node
	call transport.Caller
}

func (i *inquiry) note(level Level, check, message, fix string) {
	i.noteOf(i.node, level, check, message, fix)
}

func (i *inquiry) ask(ctx context.Context, module, function string, args ...transport.Term) (transport.Term, error) {
	limit, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return i.call.Call(limit, module, function, args...)
}

func (i *inquiry) otp(ctx context.Context) {
	t, err := i.ask(ctx, "erlang", "system_info", etf.Atom("otp_release"))
	text := charlist(t)
	n, notOne := strconv.Atoi(text)
	switch {
	case err != nil:
		i.note(Failure, Inside, "it runs no call for us: "+err.Error(), "the cookie lets any call through: is the node overloaded, or is it no BEAM?")
	case notOne != nil:
		i.note(OK, OTPRelease, "no number: "+text+", as another ehc says", "")
	case n < firstOTP:
		i.note(Failure, OTPRelease, "OTP "+text, fmt.Sprintf("FROM an image with OTP %d or later", firstOTP))
	case n > lastOTP:
		i.note(Warning, OTPRelease, fmt.Sprintf("OTP %s: ehc is tested with %d to %d", text, firstOTP, lastOTP), "a newer ehc, if there is one: ehc version")
	default:
		i.note(OK, OTPRelease, "OTP "+text, "")
	}
}

// charlist is a text that Erlang gives as a list of codes, or Elixir as a binary.
func charlist(t transport.Term) string {
	switch t := t.(type) {
	case string:
		return t
	case etf.List:
		var b strings.Builder
		for _, c := range t {
			n, ok := c.(int)
			if !ok || n < 32 || n > 126 {
				return etf.Text(t)
			}
			b.WriteByte(byte(n))
		}
		return b.String()
	case nil:
		return ""
	}
	return etf.Text(t)
}

func (i *inquiry) tick(ctx context.Context) {
	t, err := i.ask(ctx, "net_kernel", "get_net_ticktime")
	seconds, ok := t.(int)
	if err != nil || !ok {
		return // it is being changed, or no BEAM
	}
	theirs, ours := time.Duration(seconds)*time.Second, i.Spec.Node.Tick
	if ours == 0 {
		ours = time.Minute
	}
	if theirs != ours {
		i.note(Warning, TickTime, fmt.Sprintf("it counts a peer as dead after %s of silence, ehc after %s", theirs, ours), fmt.Sprintf(`node { tick = "%s" }`, theirs))
		return
	}
	i.note(OK, TickTime, fmt.Sprintf("a silent peer is dead after %s, here and there", ours), "")
}

func (i *inquiry) clock(ctx context.Context) {
	before := i.Now()
	t, err := i.ask(ctx, "erlang", "system_time", etf.Atom("millisecond"))
	after := i.Now()
	theirs, ok := t.(int)
	if err != nil || !ok {
		return
	}
	trip := after.Sub(before)
	skew := time.UnixMilli(int64(theirs)).Sub(before.Add(trip / 2)).Round(time.Millisecond)
	if skew.Abs() > maxSkew+trip/2 {
		i.note(Warning, Clock, fmt.Sprintf("its clock is %s from this one: times of events are wrong by that, and certificates may seem to have expired", skew),
			"on the machine that is wrong: timedatectl status; chronyc makestep")
		return
	}
	i.note(OK, Clock, fmt.Sprintf("within %s of this one", (skew.Abs()+trip/2).Round(time.Millisecond)), "")
}

func (i *inquiry) handler(ctx context.Context) {
	d := i.app.Deliver
	if d == nil {
		return
	}
	name := shown(d.Module, d.Function)
	there, err := i.exports(ctx, d.Module, d.Function)
	switch {
	case err != nil:
		i.note(Warning, Handler, fmt.Sprintf("whether it exports %s is not known: %v", name, err), "ehc doctor "+i.app.Name+", again")
		return
	case !there:
		i.note(Failure, Handler, fmt.Sprintf("it does not export %s: events wait", name),
			fmt.Sprintf("deploy the handler (examples/outbox has one to copy), or name the one that there is: peer %q { deliver { handler } }", i.app.Name))
		return
	}
	message := "it exports " + name
	if d.Batch.Name != "" {
		batch, err := i.exports(ctx, d.Batch.Module, d.Batch.Name)
		switch {
		case err == nil && batch:
			message += ", and " + shown(d.Batch.Module, d.Batch.Name) + " for batches"
		case err == nil:
			message += ", and none for batches: events go one by one"
		}
	}
	i.note(OK, Handler, message, "")
}

// exports loads a module, as the first call would, and asks for one function of one
// argument.
func (i *inquiry) exports(ctx context.Context, module, function string) (bool, error) {
	if _, err := i.ask(ctx, "code", "ensure_loaded", etf.Atom(module)); err != nil {
		return false, err
	}
	t, err := i.ask(ctx, "erlang", "function_exported", etf.Atom(module), etf.Atom(function), 1)
	return t == transport.Term(etf.Atom("true")) || t == transport.Term(true), err
}

// shown is a function as cluster.hcl writes it.
func shown(module, function string) string {
	return strings.TrimPrefix(module, "Elixir.") + "." + function + "/1"
}

// pubsubScope is the name of Phoenix.PubSub's pg scope, and of its process.
const pubsubScope = "Elixir.Phoenix.PubSub"

func (i *inquiry) pubsub(ctx context.Context) {
	t, err := i.ask(ctx, "pg", "which_groups", etf.Atom(pubsubScope))
	var raised *transport.RaisedError
	switch {
	case errors.As(err, &raised):
		i.noPubSub(ctx)
		return
	case err != nil:
		i.note(Warning, PubSub, "not known: "+err.Error(), "ehc doctor "+i.app.Name+", again")
		return
	}
	pools := map[string]int{}
	groups, _ := t.(etf.List)
	for _, g := range groups {
		if a, ok := g.(etf.Atom); ok {
			pools[poolOf(string(a))]++
		}
	}
	if len(pools) == 0 {
		i.note(OK, PubSub, "Phoenix.PubSub is loaded, and no server of it runs", "")
		return
	}
	var words []string
	for name, size := range pools {
		words = append(words, fmt.Sprintf("%s (pool of %d)", name, size))
	}
	sort.Strings(words)
	i.note(OK, PubSub, "alive: "+strings.Join(words, ", "), "")
}

// noPubSub tells a node without Phoenix.PubSub from one whose scope has died.
func (i *inquiry) noPubSub(ctx context.Context) {
	t, err := i.ask(ctx, "erlang", "whereis", etf.Atom("Elixir.Phoenix.PubSub.Supervisor"))
	if _, isPid := t.(etf.Pid); err == nil && isPid {
		fix := "restart the app; it stays deaf until then"
		if i.onFly() {
			fix += ": fly machine restart"
		}
		i.note(Failure, PubSub, "deaf: Phoenix.PubSub runs and its pg scope has died, so that it gets no broadcast of other nodes", fix)
		return
	}
	i.note(OK, PubSub, "it runs no Phoenix.PubSub", "")
}

// poolOf is the name of a PubSub server of which a group is one of the pool:
// Elixir.MyApp.PubSub.Adapter_2 is of MyApp.PubSub.
func poolOf(group string) string {
	if at := strings.LastIndexByte(group, '_'); at > 0 {
		if _, err := strconv.Atoi(group[at+1:]); err == nil {
			group = group[:at]
		}
	}
	return strings.TrimPrefix(strings.TrimSuffix(group, ".Adapter"), "Elixir.")
}
