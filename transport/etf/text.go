package etf

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how many bytes Text returns, and some for closing "...".
const maxText = 4096

// maxBigText is up to how many bits an integer is written out: the time that
// takes grows with their square.
const maxBigText = 4 * maxText

// Text returns t in Erlang's syntax, for logs and error texts. Lists of bytes
// stay lists of integers; a binary is a string if it is printable UTF-8. What
// Erlang cannot read back (pids, references, ports, funs, native records, Raw)
// is written as #Kind<...>. The result is cut after 4 KiB and then ends in
// "...". Any Go value is accepted.
func Text(t Term) string {
	var w text
	w.term(t)
	s := w.b.String()
	if !w.full() {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// String returns Text(t).
func (t Tuple) String() string { return Text(t) }

// String returns Text(l).
func (l List) String() string { return Text(l) }

// String returns Text(l).
func (l ImproperList) String() string { return Text(l) }

// String returns Text(m).
func (m Map) String() string { return Text(m) }

// String returns Text(b).
func (b BitString) String() string { return Text(b) }

// String returns Text(p).
func (p Pid) String() string { return Text(p) }

// String returns Text(r).
func (r Ref) String() string { return Text(r) }

// String returns Text(p).
func (p Port) String() string { return Text(p) }

// String returns Text(e).
func (e Export) String() string { return Text(e) }

// String returns Text(o).
func (o Opaque) String() string { return Text(o) }

// String returns Text(r), which does not show what is inside.
func (r Raw) String() string { return Text(r) }

// text builds the result. Every container writes at least a byte before it
// looks inside, so that one which contains itself comes to an end too.
type text struct{ b strings.Builder }

func (w *text) full() bool { return w.b.Len() > maxText }

func (w *text) put(s string) {
	if room := maxText + 1 - w.b.Len(); len(s) > room {
		s = s[:max(room, 0)]
	}
	w.b.WriteString(s)
}

func (w *text) term(t Term) {
	switch v := t.(type) {
	case Atom:
		w.atom(v)
	case bool:
		w.put(strconv.FormatBool(v))
	case string:
		w.binary(v)
	case []byte:
		w.binary(string(v[:min(len(v), maxText)]))
	case BitString:
		w.bits(v)
	case float64:
		w.put(floatText(v))
	case *big.Int:
		w.big(v)
	case Tuple:
		w.put("{")
		w.terms(v)
		w.put("}")
	case List:
		w.put("[")
		w.terms(v)
		w.put("]")
	case ImproperList:
		w.put("[")
		w.terms(v.Elems)
		w.put("|")
		w.term(v.Tail)
		w.put("]")
	case Map:
		w.mapping(v)
	default:
		w.other(t)
	}
}

// other writes numbers and what has no syntax.
func (w *text) other(t Term) {
	switch v := t.(type) {
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		w.put(fmt.Sprint(v))
	case Pid:
		w.put(fmt.Sprintf("#Pid<%s.%d.%d>", v.Node, v.ID, v.Serial))
	case Port:
		w.put(fmt.Sprintf("#Port<%s.%d>", v.Node, v.ID))
	case Ref:
		w.put("#Ref<" + string(v.Node))
		for _, n := range v.ID[:min(v.Len, maxRefWords)] {
			w.put("." + strconv.FormatUint(uint64(n), 10))
		}
		w.put(">")
	case Export:
		w.put("fun ")
		w.atom(v.Module)
		w.put(":")
		w.atom(v.Function)
		w.put("/" + strconv.Itoa(v.Arity))
	case Opaque:
		kind := "#Fun<"
		if v != "" && v[0] == tagRecord {
			kind = "#Record<"
		}
		w.put(kind + strconv.Itoa(len(v)) + " bytes>")
	case Raw:
		w.put("#Raw<" + strconv.Itoa(len(v)) + " bytes>")
	default:
		w.put(fmt.Sprintf("#Go<%T>", t))
	}
}

func (w *text) terms(ts []Term) {
	for i, t := range ts {
		if w.full() {
			return
		}
		if i > 0 {
			w.put(",")
		}
		w.term(t)
	}
}

func (w *text) mapping(m Map) {
	w.put("#{")
	for i, p := range m {
		if w.full() {
			return
		}
		if i > 0 {
			w.put(",")
		}
		w.term(p.Key)
		w.put(" => ")
		w.term(p.Value)
	}
	w.put("}")
}

func (w *text) big(v *big.Int) {
	switch {
	case v == nil:
		w.put("#Go<nil>")
	case v.BitLen() > maxBigText:
		w.put("#Integer<" + strconv.Itoa(v.BitLen()) + " bits>")
	default:
		w.put(v.String())
	}
}

// binary writes a string if all of it can be shown as one, else its bytes.
func (w *text) binary(s string) {
	ascii, ok := true, true
	for i, r := range s {
		if i > maxText {
			break
		}
		ascii = ascii && r < utf8.RuneSelf
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' {
			ok = false
			break
		}
	}
	switch {
	case s == "":
		w.put("<<>>")
	case !ok:
		w.put("<<")
		w.bytes(s)
		w.put(">>")
	default:
		w.put(`<<"`)
		w.quoted(s, '"')
		if ascii {
			w.put(`">>`)
		} else {
			w.put(`"/utf8>>`)
		}
	}
}

func (w *text) bytes(s string) {
	for i := 0; i < len(s) && !w.full(); i++ {
		if i > 0 {
			w.put(",")
		}
		w.put(strconv.Itoa(int(s[i])))
	}
}

func (w *text) bits(v BitString) {
	n := len(v.Bytes) - 1
	if n < 0 || v.Bits < 1 || v.Bits > 7 {
		w.put("#Go<etf.BitString>")
		return
	}
	w.put("<<")
	w.bytes(v.Bytes[:n])
	if n > 0 {
		w.put(",")
	}
	w.put(fmt.Sprintf("%d:%d>>", v.Bytes[n]>>(8-v.Bits), v.Bits))
}
