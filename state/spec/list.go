package spec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// item is one text of a list.
type item struct {
	text    string
	outside bool // it came from outside the file, at least in part
	at      hcl.Range
}

// list reads a list of texts, or a text that stands for a list of one where
// single allows it. Of a list with an element that is wrong there is nothing.
func (b block) list(name string, limit int, single bool, u use) ([]item, outcome) {
	want := `want a list of texts, such as ["a", "b"]`
	if single {
		want = "want text in quotes, or a list of such"
	}
	value, at, got := b.read(name, u)
	if got != present {
		return nil, got
	}
	value, marks := value.Unmark()
	found := gathered{outside: fromOutside(marks)}
	kind := value.Type()
	switch {
	case kind == cty.String && single:
		found.add(value, at)
	case kind.IsTupleType() || kind.IsListType() || kind.IsSetType():
		e, _ := b.expression(name)
		found.addAll(value, e)
	default:
		b.wrong(at, name, want)
		return nil, refused
	}
	switch {
	case found.refused:
		return nil, refused
	case found.bad != nil:
		b.wrong(*found.bad, name, want)
		return nil, refused
	case len(found.items) > limit:
		b.wrong(at, name, fmt.Sprintf("%d are too many; the limit is %d", len(found.items), limit))
		return nil, refused
	}
	return found.items, present
}

// gathered is the items of a list so far.
type gathered struct {
	items   []item
	outside bool       // the whole list is from outside
	bad     *hcl.Range // the first element that is no text
	refused bool       // an element has no value, which has been reported
}

func (g *gathered) addAll(list cty.Value, e hclsyntax.Expression) {
	ranges := elementRanges(e)
	i := 0
	for it := list.ElementIterator(); it.Next(); i++ {
		_, element := it.Element()
		at := e.Range()
		if i < len(ranges) {
			at = ranges[i]
		}
		g.add(element, at)
	}
}

func (g *gathered) add(element cty.Value, at hcl.Range) {
	element, marks := element.Unmark()
	switch {
	case !element.IsKnown():
		g.refused = true
	case element.Type() == cty.String && !element.IsNull():
		g.items = append(g.items, item{element.AsString(), g.outside || fromOutside(marks), at})
	case g.bad == nil:
		g.bad = &at
	}
}

// elementRanges returns where each element stands, if the list is written out.
func elementRanges(e hclsyntax.Expression) []hcl.Range {
	tuple, ok := e.(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil
	}
	ranges := make([]hcl.Range, len(tuple.Exprs))
	for i, one := range tuple.Exprs {
		ranges[i] = one.Range()
	}
	return ranges
}

func fromOutside(marks cty.ValueMarks) bool {
	_, ok := marks[outside]
	return ok
}
