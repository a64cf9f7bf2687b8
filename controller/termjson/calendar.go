package termjson

import (
	"fmt"

	"ehc/transport/etf"
)

// calendarText is what to_iso8601/1 gives for Elixir's four structs of the ISO
// calendar. A struct that Elixir could not have made has no such text.
func calendarText(m etf.Map) (string, bool) {
	c := calendar{of: m}
	name, _ := m.Get(structKey)
	var text string
	switch name {
	case etf.Term(etf.Atom("Elixir.DateTime")):
		text = c.date() + "T" + c.time() + c.zone()
	case etf.Term(etf.Atom("Elixir.NaiveDateTime")):
		text = c.date() + "T" + c.time()
	case etf.Term(etf.Atom("Elixir.Date")):
		text = c.date()
	case etf.Term(etf.Atom("Elixir.Time")):
		text = c.time()
	default:
		return "", false
	}
	if iso, _ := m.Get(etf.Atom("calendar")); iso != etf.Term(etf.Atom("Elixir.Calendar.ISO")) {
		return "", false
	}
	return text, !c.wrong
}

// calendar reads the fields of such a struct. One that is missing or beyond its
// bounds makes it wrong.
type calendar struct {
	of    etf.Map
	wrong bool
}

func (c *calendar) date() string {
	year, sign := c.number("year", -9999, 9999), ""
	if year < 0 {
		year, sign = -year, "-"
	}
	return fmt.Sprintf("%s%04d-%02d-%02d", sign, year, c.number("month", 1, 12), c.number("day", 1, 31))
}

func (c *calendar) time() string {
	text := fmt.Sprintf("%02d:%02d:%02d", c.number("hour", 0, 23), c.number("minute", 0, 59), c.number("second", 0, 59))
	v, _ := c.of.Get(etf.Atom("microsecond"))
	t, _ := v.(etf.Tuple)
	if len(t) != 2 {
		c.wrong = true
		return text
	}
	micros, digits := c.within(t[0], 0, 999_999), c.within(t[1], 0, 6)
	if digits == 0 {
		return text
	}
	return text + fmt.Sprintf(".%06d", micros)[:digits+1]
}

func (c *calendar) zone() string {
	const day = 24 * 60 * 60
	offset := c.number("utc_offset", -day, day) + c.number("std_offset", -day, day)
	if zone, _ := c.of.Get(etf.Atom("time_zone")); zone == etf.Term("Etc/UTC") && offset == 0 {
		return "Z"
	}
	sign := '+'
	if offset < 0 {
		offset, sign = -offset, '-'
	}
	return fmt.Sprintf("%c%02d:%02d", sign, offset/3600, offset/60%60)
}

func (c *calendar) number(name etf.Atom, least, most int) int {
	v, _ := c.of.Get(name)
	return c.within(v, least, most)
}

func (c *calendar) within(v etf.Term, least, most int) int {
	n, ok := v.(int)
	c.wrong = c.wrong || !ok || n < least || n > most
	return n
}
