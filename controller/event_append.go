package controller

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"

	"ehc/state/outbox"
	"ehc/transport/etf"
)

// encoder encodes events one after the other, most of which are of the same second as
// the one before.
type encoder struct {
	second int64
	date   []byte // what appendSecond makes of it
}

// append appends the bytes of eventTerm, without the version: at once for the plain
// payloads that nearly all events have, and by way of the term for others.
func (e *encoder) append(b []byte, ev outbox.Event) ([]byte, error) {
	if out, ok := e.appendPlain(b, ev); ok {
		return out, nil
	}
	t, err := eventTerm(ev.ID, ev.Type, ev.Payload, ev.InsertedAt)
	if err != nil {
		return b, err
	}
	return etf.Append(b, t)
}

// appendPlain does it for a payload that is an object of up to 16 fields with
// different names, whose values are texts and integers of 64 bits, true, false and
// null, with no backslash anywhere. For anything else ok is false. The payload has
// been let into the outbox: it is an object, as JSON has it, in UTF-8.
func (e *encoder) appendPlain(b []byte, ev outbox.Event) (out []byte, ok bool) {
	kind := etf.Atom(ev.Type)
	if etf.CheckAtom(kind) != nil || ev.InsertedAt.Year() < 1970 || ev.InsertedAt.Year() > 2261 {
		return b, false
	}
	out = etf.AppendMapHeader(b, 4)
	out = etf.AppendBinary(etf.AppendAtom(out, "event_id"), ev.ID)
	out = etf.AppendAtom(etf.AppendAtom(out, "type"), kind)
	out, ok = appendFields(etf.AppendAtom(out, "payload"), ev.Payload)
	if !ok {
		return b, false
	}
	return e.appendTime(etf.AppendAtom(out, "inserted_at"), ev.InsertedAt.UTC()), true
}

// maxPlain is how many fields a plain payload has at most: each name is compared
// with those before.
const maxPlain = 16

// appendFields appends the map of a plain object.
func appendFields(b, text []byte) (out []byte, ok bool) {
	var names [maxPlain][]byte
	header := len(b)
	b = etf.AppendMapHeader(b, 0)
	text = skip(text, '{')
	n := 0
	for ; len(text) > 0 && text[0] == '"'; n++ {
		var name []byte
		if name, text, ok = quoted(text); !ok || n == maxPlain || etf.CheckAtom(etf.Atom(name)) != nil {
			return nil, false
		}
		for _, other := range names[:n] {
			if bytes.Equal(other, name) {
				return nil, false
			}
		}
		names[n] = name
		b = etf.AppendAtom(b, etf.Atom(name))
		if b, text, ok = appendValue(b, skip(text, ':')); !ok {
			return nil, false
		}
		text = skip(text, ',')
	}
	binary.BigEndian.PutUint32(b[header+1:], uint32(n))
	return b, len(text) > 0 && text[0] == '}'
}

// appendValue appends what text begins with, and returns what is behind it.
func appendValue(b, text []byte) (out, rest []byte, ok bool) {
	if len(text) == 0 {
		return nil, nil, false
	}
	switch c := text[0]; {
	case c == '"':
		value, rest, ok := quoted(text)
		return etf.AppendBinary(b, value), rest, ok
	case c == 't':
		return etf.AppendAtom(b, "true"), skip(text[len("true"):], 0), true
	case c == 'f':
		return etf.AppendAtom(b, "false"), skip(text[len("false"):], 0), true
	case c == 'n':
		return etf.AppendAtom(b, "nil"), skip(text[len("null"):], 0), true
	case c == '-' || '0' <= c && c <= '9':
		end := 1
		for end < len(text) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
		n, err := strconv.ParseInt(string(text[:end]), 10, 64)
		if err != nil || end == len(text) || bytes.IndexByte([]byte(".eE"), text[end]) >= 0 {
			return nil, nil, false
		}
		return etf.AppendInt(b, n), skip(text[end:], 0), true
	}
	return nil, nil, false // an object, or an array
}

// quoted takes a string off the text. One with a backslash is not plain.
func quoted(text []byte) (value, rest []byte, ok bool) {
	end := bytes.IndexByte(text[1:], '"') + 1
	if end == 0 || bytes.IndexByte(text[1:end], '\\') >= 0 {
		return nil, nil, false
	}
	return text[1:end], skip(text[end+1:], 0), true
}

// skip leaves out the spaces that text begins with, and then c and the spaces
// behind it if c is next.
func skip(text []byte, c byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\r' || text[0] == '\n') {
		text = text[1:]
	}
	if c != 0 && len(text) > 0 && text[0] == c {
		return skip(text[1:], 0)
	}
	return text
}

// appendTime appends the DateTime that etf.From makes of a time in UTC.
func (e *encoder) appendTime(b []byte, at time.Time) []byte {
	if second := at.Unix(); e.date == nil || e.second != second {
		e.second, e.date = second, appendSecond(e.date[:0], at)
	}
	b = etf.AppendInt(append(b, e.date...), int64(at.Nanosecond()/1000))
	b = etf.AppendInt(b, 6)
	b = etf.AppendBinary(etf.AppendAtom(b, "time_zone"), "Etc/UTC")
	b = etf.AppendBinary(etf.AppendAtom(b, "zone_abbr"), "UTC")
	return appendNumber(appendNumber(b, "utc_offset", 0), "std_offset", 0)
}

// appendSecond appends the part of a DateTime that ends with its second, and what its
// microseconds follow.
func appendSecond(b []byte, at time.Time) []byte {
	b = etf.AppendMapHeader(b, 13)
	b = etf.AppendAtom(etf.AppendAtom(b, "__struct__"), "Elixir.DateTime")
	b = etf.AppendAtom(etf.AppendAtom(b, "calendar"), "Elixir.Calendar.ISO")
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	b = appendNumber(appendNumber(appendNumber(b, "year", year), "month", int(month)), "day", day)
	b = appendNumber(appendNumber(appendNumber(b, "hour", hour), "minute", minute), "second", second)
	return etf.AppendTupleHeader(etf.AppendAtom(b, "microsecond"), 2)
}

func appendNumber(b []byte, key etf.Atom, n int) []byte {
	return etf.AppendInt(etf.AppendAtom(b, key), int64(n))
}
