package controller

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// way is a folder with a trail to one file in it.
type way struct {
	*testing.T
	dir   string
	trail *trail
}

func newWay(t *testing.T, file string, before func(w *way)) *way {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &way{T: t, dir: dir}
	before(w)
	if w.trail, err = newTrail(w.at(file)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.trail.close() })
	w.follow()
	return w
}

func (w *way) at(name string) string { return filepath.Join(w.dir, name) }

func (w *way) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *way) follow() { w.Helper(); w.must(w.trail.follow()) }
func (w *way) mkdir(name string) {
	w.Helper()
	w.must(os.Mkdir(w.at(name), 0o700))
}

// edit writes a file in place, which are several events.
func (w *way) edit(name string) {
	w.Helper()
	w.must(os.WriteFile(w.at(name), []byte("x"), 0o600))
}

// write puts a new file in place, which is one.
func (w *way) write(name string) {
	w.Helper()
	made := filepath.Join(w.TempDir(), "new")
	w.must(os.WriteFile(made, []byte("x"), 0o600))
	w.must(os.Rename(made, w.at(name)))
}

func (w *way) move(from, to string) {
	w.Helper()
	w.must(os.Rename(w.at(from), w.at(to)))
}

// link makes a link, in place of one that is there.
func (w *way) link(target, name string) {
	w.Helper()
	w.must(os.Symlink(target, w.at(name+".new")))
	w.move(name+".new", name)
}

// sees waits until an event concerns the file, and returns its name below the folder.
func (w *way) sees() string {
	w.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case e := <-w.trail.watcher.Events:
			if w.trail.concerns(e) {
				name, err := filepath.Rel(w.dir, e.Name)
				w.must(err)
				return name
			}
		case err := <-w.trail.watcher.Errors:
			w.Fatal(err)
		case <-limit:
			w.Fatal("the change is not seen")
		}
	}
}

func (w *way) wants(name string) {
	w.Helper()
	if got := w.sees(); got != name {
		w.Errorf("saw a change of %s, want %s", got, name)
	}
	w.follow()
}

func TestTheFileIsWatchedWhateverStandsOnTheWay(t *testing.T) {
	t.Run("a file that is written, or put in its place", func(t *testing.T) {
		w := newWay(t, "c.hcl", func(w *way) { w.write("c.hcl") })
		w.write("other") // which is nothing to it
		w.write("c.hcl")
		w.wants("c.hcl")
		w.edit("c.hcl")
		w.wants("c.hcl")
	})
	t.Run("a ConfigMap", func(t *testing.T) {
		w := newWay(t, "c.hcl", func(w *way) {
			w.mkdir("..1")
			w.write("..1/c.hcl")
			w.link("..1", "..data")
			w.link("..data/c.hcl", "c.hcl")
		})
		for _, next := range []string{"..2", "..3"} {
			w.mkdir(next)
			w.write(next + "/c.hcl")
			w.link(next, "..data")
			w.wants("..data")
		}
	})
	t.Run("a link to a file elsewhere", func(t *testing.T) {
		w := newWay(t, "etc/c.hcl", func(w *way) {
			w.mkdir("etc")
			w.mkdir("srv")
			w.write("srv/real.hcl")
			w.link(w.at("srv/real.hcl"), "etc/c.hcl")
		})
		w.write("srv/real.hcl")
		w.wants("srv/real.hcl")
		w.mkdir("opt")
		w.write("opt/other.hcl")
		w.link("../opt/other.hcl", "etc/c.hcl")
		w.wants("etc/c.hcl")
		w.write("opt/other.hcl")
		w.wants("opt/other.hcl")
	})
	t.Run("a link to its folder", func(t *testing.T) {
		w := newWay(t, "current/c.hcl", func(w *way) {
			w.mkdir("v1")
			w.mkdir("v2")
			w.write("v1/c.hcl")
			w.write("v2/c.hcl")
			w.link("v1", "current")
		})
		w.link("v2", "current")
		w.wants("current")
		w.write("v2/c.hcl")
		w.wants("v2/c.hcl")
	})
	t.Run("a folder that goes and comes back", func(t *testing.T) {
		w := newWay(t, "a/b/c.hcl", func(w *way) {
			w.mkdir("a")
			w.mkdir("a/b")
			w.write("a/b/c.hcl")
		})
		w.move("a/b", "a/old")
		w.wants("a/b")
		w.mkdir("a/b")
		w.wants("a/b")
		w.write("a/b/c.hcl")
		w.wants("a/b/c.hcl")
		w.must(os.RemoveAll(w.at("a/b")))
		w.sees()
		w.follow()
		w.mkdir("a/b")
		w.wants("a/b")
	})
}

func TestLinksInACircleAreAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("a", filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := wayTo(filepath.Join(dir, "a")); err == nil {
		t.Error("no error")
	}
}
