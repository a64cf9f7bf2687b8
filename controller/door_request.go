package controller

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"unicode/utf8"

	"ehc/controller/api"
	"ehc/controller/termjson"
	"ehc/transport/etf"
)

// requestOf is a request as a tuple, and the word it begins with; "" if it is none.
func requestOf(t etf.Term) (r etf.Tuple, word string) {
	if a, ok := t.(etf.Atom); ok {
		return etf.Tuple{a}, string(a)
	}
	r, _ = t.(etf.Tuple)
	if len(r) == 0 {
		return nil, ""
	}
	a, _ := r[0].(etf.Atom)
	return r, string(a)
}

// noEvent says that a request is not for an event.
const noEvent = "no event"

// shape is what a write is about, by how much, and whether that is a map.
type shape struct {
	of, by etf.Atom
	isMap  bool
}

func shapeOf(word string) (s shape, ok bool) {
	switch word {
	case "increment_visit":
		return shape{of: "page_id", by: "delta"}, true
	case "update_likes":
		return shape{of: "post_id", by: "delta"}, true
	case "add_comment":
		return shape{of: "post_id", by: "comment", isMap: true}, true
	}
	return s, false
}

// eventOf is the event of a request to write one, or why it cannot be that.
func eventOf(r etf.Tuple, word string) (e api.Event, why string) {
	if word == "emit" {
		return generic(r)
	}
	s, ok := shapeOf(word)
	if !ok {
		return e, noEvent
	}
	if word == "increment_visit" && len(r) == 2 {
		r = etf.Tuple{r[0], r[1], 1}
	}
	if len(r) != 3 && len(r) != 4 {
		return e, fmt.Sprintf("%s: want %s, %s and perhaps an id after it, not %d things", word, s.of, s.by, len(r)-1)
	}
	if _, text := r[1].(string); !text && !isInt(r[1]) {
		return e, fmt.Sprintf("%s: %s %s: want a string or an integer%s", word, s.of, shortText(r[1]), hintFor(r[1]))
	}
	_, isMap := r[2].(etf.Map)
	switch {
	case s.isMap && !isMap:
		return e, fmt.Sprintf("%s: %s %s: want a map", word, s.by, shortText(r[2]))
	case !s.isMap && !isInt(r[2]):
		return e, fmt.Sprintf("%s: %s %s: want an integer of 64 bits", word, s.by, shortText(r[2]))
	}
	return newEvent(word, etf.Map{{Key: s.of, Value: r[1]}, {Key: s.by, Value: r[2]}}, r[3:])
}

// generic is the event of {:emit, type, payload} or {:emit, type, payload, id}.
func generic(r etf.Tuple) (e api.Event, why string) {
	if len(r) != 3 && len(r) != 4 {
		return e, fmt.Sprintf("emit: want a type, a payload and perhaps an id after it, not %d things", len(r)-1)
	}
	kind, ok := textAt(r, 1)
	if !ok {
		return e, fmt.Sprintf("emit: type %s: want an atom or a string", shortText(r[1]))
	}
	payload, ok := r[2].(etf.Map)
	if !ok {
		return e, fmt.Sprintf("emit: payload %s: want a map", shortText(r[2]))
	}
	return newEvent(kind, payload, r[3:])
}

// newEvent is an event with an id, if there is one in rest; nil is none.
func newEvent(kind string, payload etf.Map, rest []etf.Term) (e api.Event, why string) {
	e.Type = kind
	if len(rest) > 0 && !isNil(rest[0]) {
		id, ok := rest[0].(string)
		if !ok || id == "" {
			return e, fmt.Sprintf("%s: id %s: want a string%s", kind, shortText(rest[0]), hintFor(rest[0]))
		}
		e.ID = id
	}
	if err := carried("payload", payload, 1); err != nil {
		return e, fmt.Sprintf("%s: %v", kind, err)
	}
	e.Payload = termjson.Encode(payload)
	return e, ""
}

// Bounds of a payload: how deep it nests, and the length of an integer.
const (
	maxCarried = 60
	maxBits    = 4096
)

// carried says why a payload cannot be kept as JSON without becoming something else;
// nil if it can:
//
//	binaries in UTF-8, numbers, lists, maps   as they are
//	atoms                                     strings, but for true, false and nil
//	keys                                      strings; the payload's own become atoms again.
//	                                          One alone that begins with $ is refused
//	DateTime, NaiveDateTime, Date, Time       text in ISO 8601
//	anything else                             refused: make it one of these
func carried(path string, t etf.Term, depth int) error {
	if depth > maxCarried {
		return fmt.Errorf("%s: nested deeper than %d", path, maxCarried)
	}
	switch v := t.(type) {
	case etf.Atom, int, float64:
		return nil
	case *big.Int:
		if v.BitLen() <= maxBits {
			return nil
		}
	case string:
		if utf8.ValidString(v) {
			return nil
		}
	case etf.List:
		for _, e := range v {
			if err := carried(path+"[]", e, depth+1); err != nil {
				return err
			}
		}
		return nil
	case etf.Map:
		return carriedMap(path, v, depth)
	}
	return fmt.Errorf("%s: %s cannot be kept: want text, numbers, lists and maps of such", path, shortText(t))
}

func carriedMap(path string, m etf.Map, depth int) error {
	if name, ok := m.Get(etf.Atom("__struct__")); ok {
		if b := termjson.Encode(m); len(b) > 0 && b[0] == '"' {
			return nil // a time
		}
		return fmt.Errorf("%s: %s is a struct: give a map, such as by Map.from_struct/1", path, shortText(name))
	}
	seen := map[string]bool{}
	for _, p := range m {
		key, ok := p.Key.(string)
		if a, isAtom := p.Key.(etf.Atom); isAtom {
			key, ok = termjson.AtomText(a), true
		}
		if ok && len(m) == 1 && strings.HasPrefix(key, "$") { // JSON has it as a form
			return fmt.Errorf("%s: key %s: one alone must not begin with $", path, shortText(p.Key))
		}
		if !ok || !utf8.ValidString(key) || seen[key] {
			return fmt.Errorf("%s: key %s: want atoms or strings, no two of one text", path, shortText(p.Key))
		}
		seen[key] = true
		if err := carried(path+"."+key, p.Value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func isNil(t etf.Term) bool { return t == etf.Term(etf.Atom("nil")) }

// at is an element of a tuple, nil beyond its end.
func at(r etf.Tuple, i int) etf.Term {
	if i < len(r) {
		return r[i]
	}
	return nil
}

// textAt is an element that is text or an atom, as text.
func textAt(r etf.Tuple, i int) (string, bool) {
	switch v := at(r, i).(type) {
	case string:
		return v, v != "" && utf8.ValidString(v)
	case etf.Atom:
		if !isNil(v) {
			return string(v), v != ""
		}
	}
	return "", false
}

// hintFor is how what Elixir has for text beside strings becomes one.
func hintFor(t etf.Term) string {
	switch v := t.(type) {
	case etf.Atom:
		if !isNil(v) {
			return ": to_string/1 makes one of an atom"
		}
	case etf.List:
		for _, c := range v {
			if n, ok := c.(int); !ok || n < ' ' || n > utf8.MaxRune {
				return ""
			}
		}
		return ": to_string/1 makes one of a charlist"
	}
	return ""
}

// shortText is a term as text that fits into a message.
func shortText(t etf.Term) string {
	const most = 200
	if t == nil {
		return "(missing)"
	}
	text := etf.Text(t)
	if len(text) > most {
		n := most
		for !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n] + "…"
	}
	return text
}

// refused is {:error, {word, text}}.
func refused(word etf.Atom, text string) etf.Term {
	return etf.Tuple{etf.Atom("error"), etf.Tuple{word, text}}
}

// failed is the answer for an error of the controller's.
func failed(err error) etf.Term {
	var call *callError
	var p *api.Problem
	switch {
	case errors.As(err, &call):
		return failedCall(call)
	case errors.As(err, &p) && p.Reason == api.ReasonFull:
		return refused("full", p.Detail)
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
		return refused("bad_request", p.Detail)
	}
	return refused("unavailable", err.Error())
}

func failedCall(e *callError) etf.Term {
	switch e.word {
	case api.ReasonDisconnected, api.ReasonConnectionLost:
		return etf.Tuple{etf.Atom("error"), etf.Atom("disconnected")}
	case api.ReasonTimedOut:
		return etf.Tuple{etf.Atom("error"), etf.Atom("timeout")}
	case api.ReasonRemote:
		return etf.Tuple{etf.Atom("error"), etf.Tuple{etf.Atom("remote"), etf.Atom(e.remote.Class), e.reason}}
	case api.ReasonNotAllowed:
		return refused("not_allowed", e.text)
	}
	return refused("unavailable", e.text)
}
