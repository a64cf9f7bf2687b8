package disktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sector is the least that a power cut leaves whole.
const sector = 512

// file is what is on the device of a file, beside what the system remembers.
type file struct {
	durable []byte
	there   bool     // its name is durable, too
	pending []change // not flushed, in order
}

// change is a write, or the length of a truncation if data is nil.
type change struct {
	at   int64
	data []byte
}

func (c change) apply(to []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.data == nil {
		if c.at < int64(len(to)) {
			return to[:c.at]
		}
		return append(to, make([]byte, c.at-int64(len(to)))...)
	}
	if end > int64(len(to)) {
		to = append(to, make([]byte, end-int64(len(to)))...)
	}
	copy(to[c.at:], c.data)
	return to
}

// some applies a part of the change: all, nothing, or some sectors of it.
func (c change) some(to []byte, luck func(int) int) []byte {
	switch luck(3) {
	case 0:
		return to
	case 1:
		return c.apply(to)
	}
	if c.data == nil {
		return to
	}
	for from := 0; from < len(c.data); from += sector {
		if luck(2) == 0 {
			part := c.data[from:min(from+sector, len(c.data))]
			to = change{c.at + int64(from), part}.apply(to)
		}
	}
	return to
}

// flushed makes what is pending durable.
func (f *file) flushed() {
	for _, c := range f.pending {
		f.durable = c.apply(f.durable)
	}
	f.pending, f.there = nil, true
}

// lost is a flush that failed: the system takes what is pending for written, but
// who knows what was.
func (f *file) lost(luck func(int) int) {
	for _, c := range f.pending {
		f.durable = c.some(f.durable, luck)
	}
	f.pending = nil
}

// die keeps the files as they are. The caller holds mu.
func (d *Disk) die() {
	d.left = map[string][]byte{}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		if survives(e.Name()) {
			text, err := os.ReadFile(filepath.Join(d.dir, e.Name()))
			if err != nil {
				panic(err)
			}
			d.left[e.Name()] = text
		}
	}
}

// survives says whether a file says anything after a crash.
func survives(name string) bool {
	return strings.HasPrefix(name, "ehc.db") && !strings.HasSuffix(name, "-shm") || name == "ehc.mark"
}

// Killed kills the process, if no fault has yet, and returns a folder with what
// there is then.
func (d *Disk) Killed(t testing.TB) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == nil {
		d.die()
	}
	return folder(t, d.left)
}

// PowerCut is Killed if the power is cut at that moment: of what was not flushed
// each write is there, or not, or some sectors of it. The mark is as it was, or
// was never written.
func (d *Disk) PowerCut(t testing.TB) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == nil {
		d.die()
	}
	left := map[string][]byte{}
	if mark, ok := d.left["ehc.mark"]; ok && d.luck(2) == 0 {
		left["ehc.mark"] = mark
	}
	for name, f := range d.files {
		if !survives(name) || !f.there && d.luck(2) == 0 {
			continue
		}
		text := append([]byte(nil), f.durable...)
		for _, c := range f.pending {
			text = c.some(text, d.luck)
		}
		left[name] = text
	}
	return folder(t, left)
}

func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := Ballast(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Ballast saves a store that is about to be made in dir the time that it takes to
// fill a ballast: it makes a file of that length that takes no room.
func Ballast(dir string) error {
	path := filepath.Join(dir, "ehc.ballast")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, 8<<20)
}
