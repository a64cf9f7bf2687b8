package state

import "time"

// wanted reports whether a row lists its node.
func wanted(rows []Peer) bool {
	for _, p := range rows {
		if p.GoneSince.IsZero() {
			return true
		}
	}
	return false
}

// owner is the app that claims a node with these rows, which are ordered by app:
// one that wants it before one that does not, and rather the same as before.
func owner(before string, rows []Peer) string {
	first := ""
	need := wanted(rows)
	for _, p := range rows {
		if need && !p.GoneSince.IsZero() {
			continue
		}
		if p.App == before {
			return before
		}
		if first == "" {
			first = p.App
		}
	}
	return first
}

// unlist records that the query of p has left p's node out.
func (w *write) unlist(p Peer, now time.Time) {
	if !p.GoneSince.IsZero() {
		return
	}
	if c, _ := connTable.get(w.txn, key(string(p.Node))); c.Phase == Down && w.doubtful(p) {
		return
	}
	p.GoneSince = now
	peerTable.put(w, p)
	w.settle(p.Node)
}

// doubtful reports whether to go on wanting the node of p, whose link is down,
// although its query leaves it out: no query of the app finds a node any more,
// the app does not allow that, and not all of them have said it often enough.
// It does not hold for a query that has left the file.
func (w *write) doubtful(p Peer) bool {
	a, _ := appTable.get(w.txn, key(p.App))
	if a.Removed || a.Prune.AllowEmpty {
		return false
	}
	asked, often := false, true
	for _, q := range queryTable.list(w.txn, key(p.App)) {
		if q.EmptyTimes == 0 {
			return false
		}
		asked = asked || q.Name == p.Query
		often = often && q.EmptyTimes >= EmptyEnough
	}
	return asked && !often
}

// settle makes the store's promises true again for one node, after its peer rows
// or its conn row have changed.
func (w *write) settle(n Node) {
	c, known := connTable.get(w.txn, key(string(n)))
	rows := peerTable.of(w.txn, n)
	a, approved := approvalTable.get(w.txn, key(string(n)))
	if c.Phase == Down {
		rows = w.settleDown(rows, approved)
	}
	c.App = owner(c.App, rows)
	switch {
	case known && c.App == "" && c.Phase != Up:
		connTable.remove(w, c)
	case known:
		connTable.put(w, c)
	}
	if approved && (c.Phase != Up || c.App == "" || wanted(rows)) {
		approvalTable.remove(w, a)
	}
}

// settleDown lets go of the rows of a node whose link is down and which their
// queries leave out, except where that is doubtful and no person has approved
// it: there the node is wanted again. It returns the rows that stay.
func (w *write) settleDown(rows []Peer, approved bool) []Peer {
	var stay []Peer
	for _, p := range rows {
		switch {
		case p.GoneSince.IsZero():
			stay = append(stay, p)
		case !approved && w.doubtful(p):
			p.GoneSince = time.Time{}
			peerTable.put(w, p)
			stay = append(stay, p)
		default:
			w.drop(p)
		}
	}
	return stay
}

// drop takes a peer row out, and with the last one of an app that has left the
// file the app itself.
func (w *write) drop(p Peer) {
	peerTable.remove(w, p)
	w.retire(p.App)
}

// retire takes an app out that has left the file and has no peers.
func (w *write) retire(app string) {
	a, ok := appTable.get(w.txn, key(app))
	if !ok || !a.Removed {
		return
	}
	if p, err := w.txn.First(peerTable.name, byKey+"_prefix", key(app)); err != nil || p != nil {
		return
	}
	appTable.remove(w, a)
	if b, ok := batchTable.get(w.txn, key(app)); ok {
		batchTable.remove(w, b)
	}
}
