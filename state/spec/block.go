package spec

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// block is one block of the file with what reads its options. Each reader
// reports a value that it cannot take and returns the default in its place. A
// block that is not in the file has no body, and gives every default.
type block struct {
	p     *parser
	kind  *blockType
	title string
	body  *hclsyntax.Body
	label string
	at    hcl.Range // its type and labels
	named hcl.Range // its label
}

// children returns the blocks of this name in b that have the right labels.
func (b block) children(name string) []block {
	kind := b.kind.block(name)
	if kind == nil {
		panic("spec: no " + name + " block in the schema of " + b.title)
	}
	if b.body == nil {
		return nil
	}
	var found []block
	for _, c := range b.body.Blocks {
		if c.Type != name || !kind.accepts(c.Labels) {
			continue
		}
		child := block{p: b.p, kind: kind, title: titleOf(c, b.kind, b.title), body: c.Body, at: c.DefRange()}
		if kind.label != "" {
			child.label, child.named = c.Labels[0], c.LabelRanges[0]
		}
		found = append(found, child)
	}
	return found
}

// child returns the block of this name in b, without a body if there is none.
func (b block) child(name string) block {
	if found := b.children(name); len(found) > 0 {
		return found[0]
	}
	return block{p: b.p, kind: b.kind.block(name), title: name}
}

// expression returns what an option is set to, if it is written.
func (b block) expression(name string) (hclsyntax.Expression, bool) {
	if !slices.Contains(b.kind.attrs, name) {
		panic("spec: no option " + name + " in the schema of " + b.title)
	}
	if b.body == nil || b.body.Attributes[name] == nil {
		return nil, false
	}
	return b.body.Attributes[name].Expr, true
}

// outcome is what became of an attempt to read an option.
type outcome uint8

const (
	absent  outcome = iota // not written, or null
	refused                // wrong, which has been reported
	present
)

// read returns the value of an option, known and not null, with its marks.
func (b block) read(name string, u use) (value cty.Value, at hcl.Range, got outcome) {
	e, written := b.expression(name)
	if !written {
		return cty.NilVal, at, absent
	}
	value = b.p.scope.evaluate(e, u)
	switch {
	case value.IsNull():
		return value, e.Range(), absent
	case !value.IsKnown():
		return value, e.Range(), refused
	}
	return value, e.Range(), present
}

// value returns the value of an option as one of this kind, without marks.
func (b block) value(name string, kind cty.Type, want string, u use) (value cty.Value, at hcl.Range, got outcome) {
	value, at, got = b.read(name, u)
	if got != present {
		return value, at, got
	}
	bare, _ := value.UnmarkDeep()
	value, ok := as(bare, kind)
	if !ok {
		b.wrong(at, name, "want "+want)
		return value, at, refused
	}
	return value, at, present
}

// as converts a value. Text is only made of text: a number that should have
// been a duration or a cookie is a mistake.
func as(value cty.Value, kind cty.Type) (cty.Value, bool) {
	if kind == cty.String && value.Type() != cty.String {
		return cty.NilVal, false
	}
	value, err := convert.Convert(value, kind)
	return value, err == nil && value.IsKnown() && !value.IsNull()
}

// wrong reports a value that an option cannot take.
func (b block) wrong(at hcl.Range, name, why string) {
	b.p.errorAt(at, fmt.Sprintf("%s in %s: %s", name, b.title, why), "")
}

// missing reports an option that must be written, unless a misspelt one has
// been reported that is likely to be it.
func (b block) missing(name, example string) {
	for _, a := range b.body.Attributes {
		if a.Name != name && nearest(a.Name, b.kind.attrs) == name {
			return
		}
	}
	for _, c := range b.body.Blocks {
		if nearest(c.Type, b.kind.attrs) == name {
			return
		}
	}
	b.p.errorAt(b.at, fmt.Sprintf("%s has no %s", b.title, name), "Add: "+example)
}

// text reads text. There is no default.
func (b block) text(name string, u use) (string, hcl.Range, outcome) {
	value, at, got := b.value(name, cty.String, "text in quotes", u)
	if got != present {
		return "", at, got
	}
	return value.AsString(), at, got
}

// choice reads text that is one of a few words.
func (b block) choice(name, otherwise string, words ...string) string {
	text, at, got := b.text(name, use{})
	if got != present {
		return otherwise
	}
	if slices.Contains(words, text) {
		return text
	}
	hint := fmt.Sprintf(`It is one of "%s".`, strings.Join(words, `", "`))
	if near := nearest(text, words); near != "" {
		hint = fmt.Sprintf("Did you mean %q?", near)
	}
	b.p.errorAt(at, fmt.Sprintf("%s in %s: %q is not known", name, b.title, text), hint)
	return otherwise
}

// flag reads true or false.
func (b block) flag(name string, otherwise bool) (bool, hcl.Range) {
	value, at, got := b.value(name, cty.Bool, "true or false", use{})
	if got != present {
		return otherwise, at
	}
	return value.True(), at
}

// count reads a whole number.
func (b block) count(name string, s span[int64]) int64 {
	value, at, got := b.value(name, cty.Number, "a whole number", use{})
	if got != present {
		return s.value
	}
	n, accuracy := value.AsBigFloat().Int64()
	if accuracy != big.Exact || n < s.min || n > s.max {
		b.wrong(at, name, fmt.Sprintf("want a whole number from %d to %d", s.min, s.max))
		return s.value
	}
	return n
}

// share reads a part of a whole, from 0 to 1.
func (b block) share(name string, s span[float64]) float64 {
	value, at, got := b.value(name, cty.Number, "a number from 0 to 1", use{})
	if got != present {
		return s.value
	}
	f, _ := value.AsBigFloat().Float64()
	if !(f >= s.min && f <= s.max) {
		b.wrong(at, name, fmt.Sprintf("want a share from %g to %g; a half is 0.5", s.min, s.max))
		return s.value
	}
	return f
}

const wantDuration = `want a duration, text with a unit such as "500ms", "5s" or "2m"`

// duration reads a duration in Go's notation.
func (b block) duration(name string, s span[time.Duration]) time.Duration {
	value, at, got := b.value(name, cty.String, wantDuration[len("want "):], use{})
	if got != present {
		return s.value
	}
	d, err := time.ParseDuration(value.AsString())
	switch {
	case err != nil:
		b.wrong(at, name, fmt.Sprintf("%q: %s", value.AsString(), wantDuration))
	case d < s.min || d > s.max:
		b.wrong(at, name, fmt.Sprintf("%s is out of bounds: from %s to %s", d, brief(s.min), brief(s.max)))
	default:
		return d
	}
	return s.value
}

// brief is a duration without the zero units at its end: "1h", not "1h0m0s".
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
