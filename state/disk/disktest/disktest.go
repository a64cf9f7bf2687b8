// Package disktest stands between SQLite and the file system, for tests: it counts
// the calls that change the files of a store, makes one of them fail, and says what
// a kill or a power cut at that moment leaves. The store knows nothing of it.
//
// A call is a step, and its label says which file it is for and what it does: open,
// write, sync, truncate or delete of the store (ehc.db), its log (-wal) or its
// journal (-journal), and grow of the log's index (-shm). What the store writes
// without SQLite is no step: lock, mark and ballast.
package disktest

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Fault is what befalls a step.
type Fault string

// The faults. The store is told of the first three and goes on. The other two are
// its end: no later call has an effect.
const (
	Fails     Fault = "fails"          // nothing happens, and an input/output error is returned
	Full      Fault = "fills"          // half is written, and the volume is full until Heal
	FlushLost Fault = "fails to flush" // and each thing that was to be flushed is, or is lost for good
	Kill      Fault = "is not reached" // the process is dead before it
	KillHalf  Fault = "is cut off"     // and in the middle of it
)

// FaultsOf are the faults that can befall a step of this label.
func FaultsOf(label string) []Fault {
	switch {
	case strings.HasSuffix(label, " write"):
		return []Fault{Fails, Full, Kill, KillHalf}
	case strings.HasSuffix(label, " sync"):
		return []Fault{FlushLost, Kill}
	}
	return []Fault{Fails, Kill}
}

// Disk is what the files of one folder are on.
type Disk struct {
	dir  string
	luck func(n int) int

	mu    sync.Mutex
	steps []string
	at    int // the step that has the fault; -1: none
	fault Fault
	full  bool
	left  map[string][]byte // the files as they were when the process died
	files map[string]*file
}

// Under puts the folder dir on a Disk until the test ends. luck returns a number
// below n: it decides what a power cut and a failed flush leave.
func Under(t testing.TB, dir string, luck func(n int) int) *Disk {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{dir: dir, luck: luck, at: -1, files: map[string]*file{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		d.known(filepath.Join(dir, e.Name())).there = true
	}
	watch(t, d)
	return d
}

// Break lets a fault befall the step number at, the first since Under being 0.
func (d *Disk) Break(at int, fault Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.fault = at, fault
}

// Heal makes room on a full volume.
func (d *Disk) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
}

// Steps are the labels of the steps so far.
func (d *Disk) Steps() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.steps...)
}

// Dead says whether a fault has killed the process.
func (d *Disk) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.left != nil
}

// outcome is what a call comes to.
type outcome int

const (
	asItIs outcome = iota
	broken
	isFull
	half // written, and then full
	last // half is written, and then nothing ever
)

// step counts a call. The caller holds mu.
func (d *Disk) step(label string) outcome {
	if d.left != nil {
		return broken
	}
	d.steps = append(d.steps, label)
	if len(d.steps)-1 != d.at {
		if d.full && (strings.HasSuffix(label, " write") || strings.HasSuffix(label, " grow")) {
			return isFull
		}
		return asItIs
	}
	switch d.fault {
	case Full:
		d.full = true
		return half
	case KillHalf:
		return last
	case Kill:
		d.die()
	}
	return broken
}

// labelOf is the label of what is done to the file at path.
func labelOf(path, what string) string {
	name := filepath.Base(path)
	switch {
	case strings.HasSuffix(name, "-wal"):
		name = "log"
	case strings.HasSuffix(name, "-journal"):
		name = "journal"
	case strings.HasSuffix(name, "-shm"):
		name = "index"
	default:
		name = "store"
	}
	return name + " " + what
}
