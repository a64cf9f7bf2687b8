package state

import "time"

// SetSpec replaces the apps and their queries by those of spec, as of now.
//
// A query that stays keeps what is known of it. The peers of a query that has
// left the file are listed by it no longer: those whose link is down leave at
// once, the others once it is down. An app that has left the file and still has
// nodes stays, marked Removed, until the last of them is gone; if it comes back
// before, it is the same app again. With a greater Generation than the
// last the index moves even if all else is the same: another file is in force.
func (s *Store) SetSpec(spec Spec, now time.Time) error {
	return s.write("spec", func(w *write) error {
		if spec.Generation > w.moment().Generation {
			w.generation, w.changed, w.moved = spec.Generation, true, true
		}
		inFile := map[string]bool{}
		for _, a := range spec.Apps {
			inFile[key(a.Name)] = true
			appTable.put(w, AppRow{App: a})
			for _, l := range a.Queries {
				q := Query{App: a.Name, Name: l.Text}
				inFile[queryTable.key(q)] = true
				if _, ok := queryTable.get(w.txn, queryTable.key(q)); !ok {
					queryTable.put(w, q)
				}
			}
		}
		w.dropQueries(inFile)
		w.removeApps(inFile)
		for _, p := range peerTable.list(w.txn, "") {
			if !inFile[key(p.App, p.Query)] {
				w.unlist(p, now)
			}
		}
		for _, a := range appTable.list(w.txn, "") {
			w.retire(a.Name)
		}
		return nil
	})
}

func (w *write) dropQueries(inFile map[string]bool) {
	for _, q := range queryTable.list(w.txn, "") {
		if !inFile[queryTable.key(q)] {
			queryTable.remove(w, q)
		}
	}
}

func (w *write) removeApps(inFile map[string]bool) {
	for _, a := range appTable.list(w.txn, "") {
		if !inFile[appTable.key(a)] {
			a.Removed = true
			appTable.put(w, a)
		}
	}
}
