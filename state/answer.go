package state

import (
	"net/netip"
	"slices"
	"time"
)

// RecordAnswer records a lookup of one query of an app that worked, as of now.
// It does nothing if the query is not in the file: it has left while the lookup
// was under way.
//
// A found node is listed from now on. A node of this query that is not found,
// and not at an address where nobody could be asked, is listed no longer: it
// leaves at once if its link is down, else once it is. While no query of the app
// finds a node, and the app does not allow that, a node whose link is down stays
// wanted until every query has said so EmptyEnough times in a row.
//
// A node that is found at several addresses keeps the one it has, or gets the
// lowest.
func (s *Store) RecordAnswer(app, query string, a Answer, now time.Time) error {
	return s.write("answer to "+query, func(w *write) error {
		q, ok := queryTable.get(w.txn, key(app, query))
		if !ok {
			return nil
		}
		q.Known, q.Err, q.Unasked, q.Barren, q.Machines = true, "", a.Why, a.Barren, a.Machines
		switch {
		case len(a.Found) > 0, len(a.Unasked) > 0:
			q.EmptyTimes = 0
		default:
			q.EmptyTimes = min(q.EmptyTimes+1, EmptyEnough)
		}
		queryTable.put(w, q)
		w.list(q, a, now)
		return nil
	})
}

// list makes the peer rows of q those of the answer.
func (w *write) list(q Query, a Answer, now time.Time) {
	places := map[Node][]Found{}
	for _, f := range a.Found {
		places[f.Node] = append(places[f.Node], f)
	}
	unasked := map[netip.Addr]bool{}
	for _, addr := range a.Unasked {
		unasked[addr] = true
	}
	for _, p := range peerTable.list(w.txn, key(q.App, q.Name)) {
		found, ok := places[p.Node]
		delete(places, p.Node)
		switch {
		case ok:
			w.relist(p, place(found, p.Addr))
		case !unasked[p.Addr]:
			w.unlist(p, now)
		}
	}
	for n, found := range places {
		w.relist(Peer{Node: n, App: q.App, Query: q.Name}, place(found, netip.Addr{}))
	}
}

// relist records that the query of p finds p's node at f.
func (w *write) relist(p Peer, f Found) {
	listed := p
	listed.Addr, listed.Port, listed.GoneSince = f.Addr, f.Port, time.Time{}
	old, ok := peerTable.get(w.txn, peerTable.key(p))
	if ok && old == listed {
		return
	}
	peerTable.put(w, listed)
	if ok && (old.Addr != listed.Addr || old.Port != listed.Port) {
		w.retryNow(p.Node)
	}
	w.settle(p.Node)
}

// retryNow lets a node whose link is down be dialled at once: it is to be found
// elsewhere than where dials have failed, as after a restart.
func (w *write) retryNow(n Node) {
	if c, known := connTable.get(w.txn, key(string(n))); known && c.Phase == Down {
		c.RetryAt = time.Time{}
		connTable.put(w, c)
	}
}

// place is where to dial a node that was found at these places, of which there
// is at least one: lookups give them in any order, and a node should not move
// because of that.
func place(found []Found, now netip.Addr) Found {
	return slices.MinFunc(found, func(a, b Found) int {
		switch {
		case a.Addr == b.Addr:
			return int(b.Port) - int(a.Port)
		case a.Addr == now:
			return -1
		case b.Addr == now:
			return 1
		}
		return a.Addr.Compare(b.Addr)
	})
}

// RecordFailure records why a lookup of one query of an app failed; why must not
// be empty. It changes no peer, and does nothing if the query is not in the
// file.
func (s *Store) RecordFailure(app, query, why string) error {
	return s.write("failure of "+query, func(w *write) error {
		if q, ok := queryTable.get(w.txn, key(app, query)); ok {
			q.Err = why
			queryTable.put(w, q)
		}
		return nil
	})
}
