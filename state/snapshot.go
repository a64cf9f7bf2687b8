package state

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-memdb"
)

// Snapshot is one moment of the store. It never changes and is safe for
// concurrent use; there is nothing to close. Its slices belong to the caller.
type Snapshot struct {
	txn *memdb.Txn
}

// Index says which facts the snapshot has, as far as a reviewed plan depends on
// them: two snapshots with the same index differ only in how dials, resyncs and
// drains fare (retry times, tries, why one failed, what is under way), in the
// words in which a lookup failed and in how much more than nothing waits. It is
// never 0, only grows, and begins anew at 1 with every New.
func (s Snapshot) Index() uint64 { return s.moment().Index }

// Version says which facts the snapshot has, all of them: two snapshots of one
// store with the same version do not differ, but for since when conditions hold. It
// only grows, and begins anew at 1 with every New.
func (s Snapshot) Version() uint64 { return s.moment().Version }

// Generation is that of the file in force; 0 before the first.
func (s Snapshot) Generation() uint64 { return s.moment().Generation }

func (s Snapshot) moment() moment {
	now, _ := momentTable.get(s.txn, key("now"))
	return now
}

// Desired returns what should be.
func (s Snapshot) Desired() Desired {
	return Desired{Apps: s.Apps(), Queries: s.Queries(), Peers: s.Peers(), Approvals: s.Approvals(), Suspended: s.Suspended()}
}

// Live returns what is.
func (s Snapshot) Live() Live {
	return Live{Conns: s.Conns(), Backlogs: s.Backlogs(), Batches: batchTable.list(s.txn, "")}
}

// Apps returns the apps of the file and those that have left it but still have
// nodes, ordered by name.
func (s Snapshot) Apps() []AppRow { return appTable.list(s.txn, "") }

// App returns one app, or false.
func (s Snapshot) App(name string) (AppRow, bool) { return appTable.get(s.txn, key(name)) }

// Queries returns the queries of the apps in the file, ordered by app and name.
func (s Snapshot) Queries() []Query { return queryTable.list(s.txn, "") }

// Peers returns the nodes that are listed or were a moment ago, ordered by app,
// query and node. A node that several queries list has as many rows.
func (s Snapshot) Peers() []Peer { return peerTable.list(s.txn, "") }

// Wanted returns the row by which to dial n: of those that list it the first by
// app and query. It returns false if none lists it.
func (s Snapshot) Wanted(n Node) (Peer, bool) {
	for _, p := range peerTable.of(s.txn, n) {
		if p.GoneSince.IsZero() {
			return p, true
		}
	}
	return Peer{}, false
}

// Conns returns every connection, live or lost, ordered by node.
func (s Snapshot) Conns() []Conn { return connTable.list(s.txn, "") }

// Conn returns the connection to n. If nothing is known of it, the zero Conn,
// which is down.
func (s Snapshot) Conn(n Node) Conn {
	c, _ := connTable.get(s.txn, key(string(n)))
	return c
}

// Backlogs returns how much waits for each app of which the outbox has told,
// ordered by app.
func (s Snapshot) Backlogs() []Backlog { return backlogTable.list(s.txn, "") }

// Backlog returns how much waits for one app; the zero Backlog if the outbox has
// told nothing of it.
func (s Snapshot) Backlog(app string) Backlog {
	b, _ := backlogTable.get(s.txn, key(app))
	return b
}

// Approvals returns what people have approved, ordered by node.
func (s Snapshot) Approvals() []Approval { return approvalTable.list(s.txn, "") }

// Suspended returns which apps are to be left alone, ordered by app.
func (s Snapshot) Suspended() []Suspension { return suspensionTable.list(s.txn, "") }

// PubSub returns what the connected nodes show of Phoenix.PubSub, as far as that is
// known, ordered by node.
func (s Snapshot) PubSub() []PubSubPeer { return pubsubTable.list(s.txn, "") }

// PubSubOf returns what one node shows, or false if that is not known.
func (s Snapshot) PubSubOf(n Node) (PubSubPeer, bool) { return pubsubTable.get(s.txn, key(string(n))) }

// Conditions returns what was last recorded of an app, or of a node with app "".
func (s Snapshot) Conditions(app string, n Node) []Condition {
	c, _ := conditionsTable.get(s.txn, key(app, string(n)))
	return c.Of
}

// Changed returns what is closed once the store differs from s in anything at all,
// but for since when conditions hold. That of a fork never is.
func (s Snapshot) Changed() <-chan struct{} {
	changed, _, err := s.txn.FirstWatch(momentTable.name, byKey, key("now"))
	if err != nil {
		panic(fmt.Sprintf("state: table %s is not as its schema says: %v", momentTable.name, err))
	}
	return changed
}

// Wait blocks until the store differs from s in anything at all, or until wake
// if wake is not zero, and returns nil. It returns the context's error if ctx
// ends first.
func (s Snapshot) Wait(ctx context.Context, wake time.Time) error {
	limit := ctx
	if !wake.IsZero() {
		var cancel context.CancelFunc
		limit, cancel = context.WithDeadline(ctx, wake)
		defer cancel()
	}
	select {
	case <-s.Changed():
	case <-limit.Done():
	}
	return ctx.Err()
}
