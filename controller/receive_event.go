package controller

import (
	"strconv"
	"time"

	"ehc/state/inbox"
	"ehc/transport"
	"ehc/transport/etf"
)

// Why an event cannot be handled at all.
const (
	badEvent    = etf.Atom("bad_event")
	unknownType = etf.Atom("unknown_event_type")
)

// receivedEvent reads an event as eventTerm makes it, or says what is wrong:
//
//	type             payload                    counter       and by how much
//	increment_visit  %{page_id: K, delta: N}    visits:K      N
//	update_likes     %{post_id: K, delta: N}    likes:K       N
//	add_comment      %{post_id: K, comment: _}  comments:K    1
//	count            %{name: C, key: K,         C:K           N
//	                   delta: N}
//
// A K is text or an integer, which counts as its digits; a C may be an atom, and
// has no colon; an N is an integer of 64 bits. The type may be text. An event may
// also say where it stands at its sender: source, text or an atom, epoch and seq,
// integers; if one of the three is missing, it does not. What else there is in the
// maps is left alone.
func receivedEvent(t transport.Term, now time.Time) (inbox.Event, etf.Atom) {
	m, _ := t.(etf.Map)
	f := fields{of: m}
	e := inbox.Event{ID: f.text("event_id"), At: now}
	kind := f.word("type")
	p := fields{of: f.payload()}
	switch {
	case f.wrong:
		return inbox.Event{}, badEvent
	case kind == "increment_visit":
		e.Name, e.Key, e.Delta = "visits", p.key("page_id"), p.integer("delta")
	case kind == "update_likes":
		e.Name, e.Key, e.Delta = "likes", p.key("post_id"), p.integer("delta")
	case kind == "add_comment":
		e.Name, e.Key, e.Delta = "comments", p.key("post_id"), 1
		p.has("comment")
	case kind == "count":
		e.Name, e.Key, e.Delta = p.word("name"), p.key("key"), p.integer("delta")
	default:
		return inbox.Event{}, unknownType
	}
	if f.told("source") && f.told("epoch") && f.told("seq") {
		e.Source = f.word("source")
		e.Place = inbox.Place{Epoch: f.number("epoch"), Seq: f.number("seq")}
	}
	if f.wrong || p.wrong {
		return inbox.Event{}, badEvent
	}
	return e, ""
}

// fields reads a map with atoms as keys. A field that is missing or of another
// type makes it wrong.
type fields struct {
	of    etf.Map
	wrong bool
}

func (f *fields) told(name etf.Atom) bool {
	_, ok := f.of.Get(name)
	return ok
}

func (f *fields) has(name etf.Atom) { f.wrong = f.wrong || !f.told(name) }

func (f *fields) text(name etf.Atom) string { return field[string](f, name) }

func (f *fields) payload() etf.Map { return field[etf.Map](f, "payload") }

func (f *fields) integer(name etf.Atom) int64 { return int64(field[int](f, name)) }

// number is an integer that is not negative.
func (f *fields) number(name etf.Atom) uint64 {
	n := field[int](f, name)
	f.wrong = f.wrong || n < 0
	return uint64(n)
}

// word is text or an atom.
func (f *fields) word(name etf.Atom) string {
	if a, _ := f.of.Get(name); isAtom(a) {
		return string(a.(etf.Atom))
	}
	return f.text(name)
}

// key is text or an integer.
func (f *fields) key(name etf.Atom) string {
	if v, _ := f.of.Get(name); isInt(v) {
		return strconv.Itoa(v.(int))
	}
	return f.text(name)
}

func isAtom(t etf.Term) bool { _, ok := t.(etf.Atom); return ok }
func isInt(t etf.Term) bool  { _, ok := t.(int); return ok }

func field[T any](f *fields, name etf.Atom) T {
	v, _ := f.of.Get(name)
	t, ok := v.(T)
	f.wrong = f.wrong || !ok
	return t
}
