package controller

import (
	"cmp"
	"fmt"
	"time"

	"ehc/controller/history"
	"ehc/state"
)

// worthTelling is how long events have to wait before their delivery is an entry
// of the history: while an app is up, each passes through its queue.
const worthTelling = 5 * time.Second

// chronicle makes entries of the history from what writes do to the store. It is
// called by the store, one write at a time.
//
//	row      before             after                      entry
//	Conn     not up             up                         Connected
//	         up                 not up                     Disconnected, why
//	         dialling           down, one try more         DialFailed, why
//	         not synced         synced                     Resynced
//	         busy               not busy, one try more     ResyncFailed, why
//	         not busy           busy, and a batch counts   Pruned
//	Peer     not listed         listed                     Listed
//	         listed             not listed                 Unlisted
//	Query    worked             failed                     LookupFailed, why
//	         failed             worked                     LookupRecovered
//	Backlog  none               some, and no node is up    Buffering
//	                            one try more               DrainFailed, why
//	         some, for a while  none                       Drained
//	Approval none               one                        Approved
//	Suspension  none, one       one, none                  Suspended, Resumed
type chronicle struct {
	add func(history.Entry)
	now func() time.Time

	up      map[state.Node]string // nodes that are up, and their apps
	ups     map[string]int        // how many of each app are
	waiting map[string]wait       // apps for which something waits
}

// wait is what waits for an app.
type wait struct {
	since time.Time
	most  int // as far as the outbox told
	told  bool
}

func newChronicle(add func(history.Entry), now func() time.Time) *chronicle {
	return &chronicle{add: add, now: now, up: map[state.Node]string{}, ups: map[string]int{}, waiting: map[string]wait{}}
}

// wrote tells of one write.
func (c *chronicle) wrote(steps []state.Delta) {
	apps, pruning := map[state.Node]string{}, false
	for _, d := range steps {
		switch after := d.After.(type) {
		case state.Conn:
			apps[after.Node] = after.App // a new connection learns in a later step whose it is
		case state.Batch:
			pruning = true
		}
	}
	for _, d := range steps {
		switch cmp.Or(d.After, d.Before).(type) {
		case state.Conn:
			before, after := pair[state.Conn](d)
			c.conn(before, after, apps[cmp.Or(after.Node, before.Node)], pruning)
		case state.Peer:
			c.peer(pair[state.Peer](d))
		case state.Query:
			c.query(pair[state.Query](d))
		case state.Backlog:
			c.backlog(pair[state.Backlog](d))
		case state.Approval:
			if _, after := pair[state.Approval](d); after.Node != "" {
				c.tell(history.Entry{Kind: history.Approved, Node: string(after.Node), Message: "approved to be pruned"})
			}
		case state.Suspension:
			c.suspension(pair[state.Suspension](d))
		}
	}
}

// pair is a delta of rows of type T; the zero row stands for none.
func pair[T any](d state.Delta) (before, after T) {
	before, _ = d.Before.(T)
	after, _ = d.After.(T)
	return before, after
}

func (c *chronicle) tell(e history.Entry) {
	e.At = c.now()
	c.add(e)
}

func (c *chronicle) conn(before, after state.Conn, app string, pruning bool) {
	e := history.Entry{App: cmp.Or(app, after.App, before.App), Node: string(cmp.Or(after.Node, before.Node))}
	wasUp, isUp := before.Phase == state.Up, after.Phase == state.Up
	c.count(cmp.Or(after.Node, before.Node), after.App, isUp)
	switch {
	case isUp && (!wasUp || before.Creation != after.Creation):
		e.Kind, e.Message = history.Connected, "connected"
	case wasUp && !isUp:
		e.Kind, e.Warning, e.Reason, e.Message = history.Disconnected, !before.Busy, after.Reason, after.Message
	case before.Phase == state.Dialling && after.Phase == state.Down && after.Tries > before.Tries:
		e.Kind, e.Warning, e.Reason, e.Message = history.DialFailed, true, after.Reason, after.Message
	case isUp && before.Synced != after.Synced && after.Synced == after.Creation:
		e.Kind, e.Message = history.Resynced, "resynced, "+software(after.Release)
	case isUp && before.Busy && !after.Busy && after.Tries > before.Tries:
		e.Kind, e.Warning, e.Reason, e.Message = history.ResyncFailed, true, after.Reason, after.Message
	case isUp && !before.Busy && after.Busy && pruning:
		e.Kind, e.Message = history.Pruned, "listed no longer: its connection is cut"
	default:
		return
	}
	c.tell(e)
}

func (c *chronicle) peer(before, after state.Peer) {
	was, is := before.Node != "" && before.GoneSince.IsZero(), after.Node != "" && after.GoneSince.IsZero()
	e := history.Entry{App: cmp.Or(after.App, before.App), Node: string(cmp.Or(after.Node, before.Node))}
	switch {
	case is && !was:
		e.Kind, e.Message = history.Listed, "listed by "+after.Query
	case was && !is:
		e.Kind, e.Message = history.Unlisted, "listed no longer by "+before.Query
	default:
		return
	}
	c.tell(e)
}

func (c *chronicle) query(before, after state.Query) {
	e := history.Entry{App: cmp.Or(after.App, before.App)}
	switch {
	case after.Err != "" && before.Err != after.Err:
		e.Kind, e.Warning, e.Reason = history.LookupFailed, true, reasonLookupFailed
		e.Message = after.Name + ": " + after.Err
	case before.Err != "" && after.Name != "" && after.Err == "":
		e.Kind, e.Message = history.LookupRecovered, after.Name+" is answered again"
	case after.Unasked != "" && before.Unasked != after.Unasked:
		e.Kind, e.Warning, e.Reason = history.LookupFailed, true, reasonEPMDUnreachable
		e.Message = after.Name + ": " + after.Unasked
	case before.Unasked != "" && after.Name != "" && after.Unasked == "":
		e.Kind, e.Message = history.LookupRecovered, after.Name+": every address is answered for again"
	default:
		return
	}
	c.tell(e)
}

func (c *chronicle) backlog(before, after state.Backlog) {
	e := history.Entry{App: cmp.Or(after.App, before.App)}
	w, waits := c.waiting[e.App]
	if after.Pending > 0 {
		if !waits {
			w = wait{since: c.now()}
		}
		w.most = max(w.most, after.Pending)
		if !w.told && c.ups[e.App] == 0 {
			w.told = true
			c.tell(history.Entry{Kind: history.Buffering, App: e.App, Message: "events wait until a node of the app is up"})
		}
		c.waiting[e.App] = w
	}
	if after.Tries > before.Tries {
		w.told = true
		c.waiting[e.App] = w
		e.Kind, e.Warning, e.Node, e.Reason, e.Message = history.DrainFailed, true, string(after.FailedOn), after.Reason, after.Message
		c.tell(e)
	}
	if after.Pending == 0 && waits {
		delete(c.waiting, e.App)
		if d := c.now().Sub(w.since); w.told || d >= worthTelling {
			c.tell(history.Entry{
				Kind: history.Drained, App: e.App,
				Message: fmt.Sprintf("nothing waits any more, after %s", d.Round(time.Second)),
			})
		}
	}
}

// count keeps up and ups.
func (c *chronicle) count(n state.Node, app string, isUp bool) {
	if was, ok := c.up[n]; ok {
		if c.ups[was]--; c.ups[was] == 0 {
			delete(c.ups, was)
		}
		delete(c.up, n)
	}
	if isUp {
		c.up[n] = app
		c.ups[app]++
	}
}

func (c *chronicle) suspension(before, after state.Suspension) {
	if after.App != "" {
		c.tell(history.Entry{Kind: history.Suspended, App: after.App, Message: "left alone until it is resumed"})
		return
	}
	c.tell(history.Entry{Kind: history.Resumed, App: before.App, Message: "no longer left alone"})
}
