package main

import "fmt"

// store is what the data folder's store, a disk.DB, says of itself.
type store interface {
	Lost() uint64
	OnRoot() bool
}

// warnings are what a person should know of the data folder.
func (d daemon) warnings(s store) []string {
	var found []string
	if n := s.Lost(); n > 0 {
		found = append(found, fmt.Sprintf("the store in %s lacks its last %d commits: its log or its file is damaged, or it is an older copy; "+
			"events that were emitted last may be missing, and some that were delivered may be sent again", d.data, n))
	}
	// Elsewhere the root file system is as good as any other.
	if machine, _ := d.env.Lookup("FLY_MACHINE_ID"); machine != "" && s.OnRoot() {
		found = append(found, fmt.Sprintf("the data folder %s is not on a volume: Fly empties it with every deploy and restart, "+
			"and what waits in the outbox is lost; mount a volume there", d.data))
	}
	return found
}
