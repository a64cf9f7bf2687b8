// Package history remembers what happened to a cluster, the last of it, in
// memory: nodes that came and went and why, lookups that failed, what people
// applied. It decides nothing and keeps nothing on disk; what is told it is told
// by the controller, from changes of the store and from its own actions.
//
// What happens again and again is one entry, with a count, that moves to the end:
//
//	add A, B, A      1 A        2 B        3 A ×2      kept: 2 B, 3 A ×2
//
// so that one node that cannot be dialled does not push out everything else.
package history

import (
	"container/list"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Kind says what happened; a stable word.
type Kind string

// The kinds.
const (
	Started         Kind = "Started"         // the controller
	Listed          Kind = "Listed"          // a query lists a node
	Unlisted        Kind = "Unlisted"        // and no longer does
	Connected       Kind = "Connected"       // a node
	Disconnected    Kind = "Disconnected"    // a node; the reason says why
	DialFailed      Kind = "DialFailed"      // a node; the reason says why
	Resynced        Kind = "Resynced"        // a node, with its new incarnation
	ResyncFailed    Kind = "ResyncFailed"    // a node
	Pruned          Kind = "Pruned"          // a node: its connection is being cut
	Approved        Kind = "Approved"        // a person lets a node go that a guard held
	LookupFailed    Kind = "LookupFailed"    // a query of an app
	LookupRecovered Kind = "LookupRecovered" // a query of an app
	Buffering       Kind = "Buffering"       // an app: events wait, and no node of it is up
	DrainFailed     Kind = "DrainFailed"     // an app, through a node; the reason says why
	Drained         Kind = "Drained"         // an app: what had waited has been delivered
	DeadLetter      Kind = "DeadLetter"      // an event of an app; the reason says why
	Suspended       Kind = "Suspended"       // an app, by a person
	Resumed         Kind = "Resumed"         // an app, by a person
	Applied         Kind = "Applied"         // a file, by a person
	Reloaded        Kind = "Reloaded"        // the watched file
	ReloadFailed    Kind = "ReloadFailed"    // the watched file; the last one stays in force
)

// Kinds are all of them; more may come.
func Kinds() []Kind {
	return []Kind{
		Started, Listed, Unlisted, Connected, Disconnected, DialFailed, Resynced, ResyncFailed, Pruned, Approved,
		LookupFailed, LookupRecovered, Buffering, DrainFailed, Drained, DeadLetter, Suspended, Resumed,
		Applied, Reloaded, ReloadFailed,
	}
}

// Entry is one thing that happened, once or several times.
type Entry struct {
	ID      uint64    // grows with each Add, over restarts too; exact in a JSON reader's numbers
	At      time.Time // when it happened last
	FirstAt time.Time
	Count   int
	Kind    Kind
	Warning bool   // a person may have to do something
	App     string // empty: of no app
	Node    string // empty: of no node
	Reason  string // a stable word; may be empty
	Message string // for people; cut at maxMessage bytes
}

const maxMessage = 1 << 10

// Log is a history. Its methods may be called at once.
type Log struct {
	mu      sync.Mutex
	limit   int
	last    uint64                  // the id of the newest entry, or before the first one
	dropped uint64                  // no entry up to this id, or of a run before, is sure to be here
	entries *list.List              // of *Entry, oldest first
	same    map[Entry]*list.Element // by what identifies a repeat
	changed chan struct{}           // closed at the next Add
}

// New returns an empty history that keeps limit entries. Its ids begin with now,
// so that they are greater than those of any run that began before.
func New(limit int, now time.Time) *Log {
	first := uint64(now.UnixMilli()) * 1000
	return &Log{
		limit: limit, last: first, dropped: first, entries: list.New(),
		same: map[Entry]*list.Element{}, changed: make(chan struct{}),
	}
}

// Add notes that e happened at e.At, and wakes who waits. The ID, FirstAt and
// Count are set here. An entry that differs from it only in those and in At is
// taken out: e is another time of the same.
func (l *Log) Add(e Entry) {
	e.Message = cut(e.Message)
	e.FirstAt, e.Count = e.At, 1
	l.mu.Lock()
	defer l.mu.Unlock()
	key := e.identity()
	if old := l.same[key]; old != nil {
		was := old.Value.(*Entry)
		e.FirstAt, e.Count = was.FirstAt, was.Count+1
		l.entries.Remove(old)
	}
	l.last++
	e.ID = l.last
	l.same[key] = l.entries.PushBack(&e)
	if l.entries.Len() > l.limit {
		oldest := l.entries.Remove(l.entries.Front()).(*Entry)
		delete(l.same, oldest.identity())
		l.dropped = oldest.ID
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// identity is what two times of the same have in common.
func (e Entry) identity() Entry {
	e.ID, e.Count, e.At, e.FirstAt = 0, 0, time.Time{}, time.Time{}
	return e
}

// View is part of a history.
type View struct {
	Entries []Entry // oldest first
	Last    uint64  // to read on after: what is newer is not in Entries, and what is not is
	Missed  bool    // entries after the one that was asked for are not here any more
	// Changed is closed once there is more than this view has seen.
	Changed <-chan struct{}
}

// After returns up to limit entries that came after the one with an id and that
// want reports true for. With after 0 it returns the newest instead.
func (l *Log) After(after uint64, limit int, want func(Entry) bool) View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := View{Last: l.last, Missed: after != 0 && after < l.dropped, Changed: l.changed}
	if after == 0 {
		v.Entries = l.newest(limit, want)
		return v
	}
	first := l.entries.Back()
	for first != nil && first.Prev() != nil && first.Prev().Value.(*Entry).ID > after {
		first = first.Prev()
	}
	for ; first != nil; first = first.Next() {
		e := first.Value.(*Entry)
		if e.ID <= after || !want(*e) {
			continue
		}
		if len(v.Entries) == limit {
			v.Last = v.Entries[limit-1].ID
			break
		}
		v.Entries = append(v.Entries, *e)
	}
	return v
}

func (l *Log) newest(limit int, want func(Entry) bool) []Entry {
	var found []Entry
	for at := l.entries.Back(); at != nil && len(found) < limit; at = at.Prev() {
		if e := at.Value.(*Entry); want(*e) {
			found = append(found, *e)
		}
	}
	slices.Reverse(found)
	return found
}

// cut shortens a message to what is kept, in whole characters.
func cut(s string) string {
	if len(s) <= maxMessage {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	n := maxMessage
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.ToValidUTF8(s[:n], "\uFFFD") + "…"
}
