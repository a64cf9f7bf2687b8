package main

import (
	"fmt"

	"ehc/state/disk"
)

// store is what the data folder's store, a disk.DB, says of itself.
type store interface {
	Lost() uint64
	Cut() disk.Cut
	OnRoot() bool
	Fleeting() string
}

// warnings are what a person should know of the data folder.
func (d daemon) warnings(s store) []string {
	var found []string
	n, cut := s.Lost(), s.Cut()
	if n > 0 {
		found = append(found, fmt.Sprintf("the store in %s lacks its last %d commits: its log or its file is damaged, or it is an older copy; "+
			"events that were emitted last may be missing, and some that were delivered may be sent again", d.data, n))
	}
	if n == 0 && cut.Commits > 1 {
		found = append(found, fmt.Sprintf("the last %d bytes of the log of the store in %s were not sound and are left out, with %d commits in them: "+
			"the volume is damaged, or it failed to flush before the last stop; events that were emitted last may be missing", cut.Bytes, d.data, cut.Commits))
	}
	// Elsewhere the root file system is as good as any other, but for what is seen here.
	if where := s.Fleeting(); where != "" {
		found = append(found, fmt.Sprintf("the data folder %s is %s: what waits in the outbox is lost with it; mount a volume there", d.data, where))
		return found
	}
	if machine, _ := d.env.Lookup("FLY_MACHINE_ID"); machine != "" && s.OnRoot() {
		found = append(found, fmt.Sprintf("the data folder %s is not on a volume: Fly empties it with every deploy and restart, "+
			"and what waits in the outbox is lost; mount a volume there", d.data))
	}
	return found
}
