package state

// Suspend replaces the apps that are to be left alone by these. From now on
// RecordDialling, RecordPruned and RecordResyncing refuse a node of theirs, and
// RecordDraining them.
func (s *Store) Suspend(all []Suspension) error {
	return s.write("suspension", func(w *write) error {
		keep := make(map[string]bool, len(all))
		for _, row := range all {
			keep[row.App] = true
			suspensionTable.put(w, row)
		}
		for _, old := range suspensionTable.list(w.txn, "") {
			if !keep[old.App] {
				suspensionTable.remove(w, old)
			}
		}
		return nil
	})
}

// suspended says whether an app is to be left alone.
func (w *write) suspended(app string) bool {
	_, ok := suspensionTable.get(w.txn, key(app))
	return ok
}

// leftAlone says whether a node with these rows is wanted only by apps that are to
// be left alone.
func (w *write) leftAlone(rows []Peer) bool {
	for _, p := range rows {
		if p.GoneSince.IsZero() && !w.suspended(p.App) {
			return false
		}
	}
	return true
}
