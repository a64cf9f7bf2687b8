package controller

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// trail watches all that decides what a file says: the file, and every link on the way
// to it. Editors put a new file in place of the old one, a ConfigMap a new folder behind
// a link, and others edit the file that a link stands for.
//
//	/etc/ehc/cluster.hcl ─▶ ..data/cluster.hcl      watched in /etc/ehc: cluster.hcl
//	/etc/ehc/..data ─▶ ..2026_11_27                 watched in /etc/ehc: ..data
//	/etc/ehc/..2026_11_27/cluster.hcl               watched in that folder: cluster.hcl
//
// What else happens in those folders is passed over. It belongs to one goroutine.
type trail struct {
	path    string
	watcher *fsnotify.Watcher
	names   map[string]bool // whole names, of which none is behind a link
}

// newTrail is for path, which is absolute. It watches nothing before follow is called,
// and the caller closes it.
func newTrail(path string) (*trail, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch config: %w", err)
	}
	return &trail{path: path, watcher: w}, nil
}

func (t *trail) close() error { return t.watcher.Close() }

// concerns says whether an event may have changed what the file says. Its folder may
// have gone, too, and another one come.
func (t *trail) concerns(e fsnotify.Event) bool {
	if t.names[e.Name] {
		return true
	}
	if e.Has(fsnotify.Remove | fsnotify.Rename) {
		for name := range t.names {
			if filepath.Dir(name) == e.Name {
				_ = t.watcher.Remove(e.Name) // of what is no longer there, if it was moved
				return true
			}
		}
	}
	return false
}

// follow watches the way to the file as it is now, and nothing else. What changes on
// the way meanwhile is watched as well.
func (t *trail) follow() error {
	for range maxLinks {
		names, err := wayTo(t.path)
		if err != nil {
			return fmt.Errorf("find the way to %s: %w", t.path, err)
		}
		if maps.Equal(names, t.names) && t.watches(names) {
			return nil
		}
		t.names = names
		folders := map[string]bool{}
		for name := range names {
			folders[filepath.Dir(name)] = true
		}
		for _, old := range t.watcher.WatchList() {
			if !folders[old] {
				_ = t.watcher.Remove(old)
			}
		}
		var failed error
		for folder := range folders {
			if err := t.watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = fmt.Errorf("watch %s: %w", folder, err)
			}
		}
		if failed != nil {
			return failed // the others are watched
		}
	}
	return fmt.Errorf("the way to %s does not stand still", t.path)
}

// watches says whether the folder of every name is watched.
func (t *trail) watches(names map[string]bool) bool {
	watched := map[string]bool{}
	for _, folder := range t.watcher.WatchList() {
		watched[folder] = true
	}
	for name := range names {
		if !watched[filepath.Dir(name)] {
			return false
		}
	}
	return true
}

// maxLinks bounds the links that are followed, as the system does.
const maxLinks = 40

// wayTo is the whole name of each link on the way to path, and of what is at the end:
// the file, or the first thing that is missing.
func wayTo(path string) (map[string]bool, error) {
	names := map[string]bool{}
	at, left := "/", strings.Split(path, "/")
	for links := 0; len(left) > 0; {
		next := filepath.Join(at, left[0])
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			names[next] = true
			return names, nil
		case err != nil:
			return nil, err
		}
		if left = left[1:]; info.Mode().Type() != fs.ModeSymlink {
			at = next
			continue
		}
		names[next] = true
		target, err := os.Readlink(next)
		if err != nil {
			return nil, err
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("too many links on the way to %s", path)
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		left = append(strings.Split(target, "/"), left...)
	}
	names[at] = true
	return names, nil
}
