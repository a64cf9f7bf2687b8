package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// journal is the remote app's record of the events that reached it, one line
// each: id, type, key, delta, and whether it was new or came again. remote.ex
// writes the same.
type journal struct {
	file   *os.File
	seen   map[string]bool
	counts map[string]int // by the key of ehc count, such as visits:/blog
}

// entry is one line of a journal.
type entry struct {
	id, kind, key string
	delta         int
	again         bool
}

// readJournal returns the lines so far; none if the file is not there yet. A
// last line without its end, cut by a kill, is left out: its event was never
// acknowledged.
func readJournal(path string) ([]entry, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	text := string(b[:strings.LastIndexByte(string(b), '\n')+1])
	var entries []entry
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("read journal: line %q", lines.Text())
		}
		delta, err := strconv.Atoi(f[3])
		if err != nil {
			return nil, fmt.Errorf("read journal: line %q", lines.Text())
		}
		entries = append(entries, entry{id: f[0], kind: f[1], key: f[2], delta: delta, again: f[4] == "again"})
	}
	return entries, nil
}

// openJournal opens the journal at path for more lines.
func openJournal(path string) (*journal, error) {
	entries, err := readJournal(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &journal{file: f, seen: map[string]bool{}, counts: map[string]int{}}
	for _, e := range entries {
		j.take(e)
	}
	return j, nil
}

// counters are the names of what the events count.
var counters = map[string]string{"increment_visit": "visits", "update_likes": "likes", "add_comment": "comments"}

// take counts an event, once.
func (j *journal) take(e entry) {
	if !j.seen[e.id] {
		j.seen[e.id] = true
		j.counts[counters[e.kind]+":"+e.key] += e.delta
	}
}

// record writes one line, on disk when it returns. Not for concurrent use.
func (j *journal) record(e entry) error {
	mark := "new"
	if j.seen[e.id] {
		mark = "again"
	}
	if _, err := fmt.Fprintf(j.file, "%s\t%s\t%s\t%d\t%s\n", e.id, e.kind, e.key, e.delta, mark); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	j.take(e)
	return j.file.Sync()
}

// counts sums the deltas by key, each event once.
func counts(entries []entry) map[string]int {
	sums := map[string]int{}
	for _, e := range entries {
		if !e.again {
			sums[e.key] += e.delta
		}
	}
	return sums
}
