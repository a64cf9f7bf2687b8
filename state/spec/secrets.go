package spec

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// secrets knows what no diagnostic may show: the values of cookies, and the
// places of the source that hold them.
type secrets struct {
	values map[string]bool
	locals map[string]bool // that a cookie is made of
	vars   map[string]bool
	names  map[string]bool // that env and file are asked for to make a cookie
}

// secretName says whether what goes by this name is kept out of sight. A name
// that is nearly cookie counts: that is how it looks when it is misspelt.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"cookie", "secret", "password", "token"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return distance(name, "cookie") <= 2
}

// learn finds what the cookies are made of.
func (s *secrets) learn(body *hclsyntax.Body) {
	s.locals, s.vars, s.names = map[string]bool{}, map[string]bool{}, map[string]bool{}
	locals := map[string]hclsyntax.Expression{}
	var look []hclsyntax.Expression
	for _, b := range body.Blocks {
		look = append(look, cookiesOf(b)...)
		if b.Type == "locals" {
			for _, a := range b.Body.Attributes {
				locals[a.Name] = a.Expr
			}
		}
	}
	for len(look) > 0 {
		e := look[len(look)-1]
		look = look[:len(look)-1]
		s.learnNames(e)
		for _, ref := range references(e) {
			switch {
			case ref.root == "var":
				s.vars[ref.name] = true
				s.names["EHC_VAR_"+ref.name] = true
			case ref.root == "local" && !s.locals[ref.name]:
				s.locals[ref.name] = true
				if next := locals[ref.name]; next != nil {
					look = append(look, next)
				}
			}
		}
	}
}

// learnNames notes what env and file are asked for in an expression, however
// they are misspelt.
func (s *secrets) learnNames(e hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && len(call.Args) > 0 {
			if name, diags := call.Args[0].Value(nil); !diags.HasErrors() && name.Type() == cty.String && name.IsKnown() && !name.IsNull() {
				s.names[name.AsString()] = true
			}
		}
		return nil
	})
}

func cookiesOf(b *hclsyntax.Block) []hclsyntax.Expression {
	var found []hclsyntax.Expression
	for _, a := range b.Body.Attributes {
		if secretName(a.Name) {
			found = append(found, a.Expr)
		}
	}
	return found
}

// learnValue notes the texts that are hidden in a value.
func (s *secrets) learnValue(value cty.Value) {
	if s.values == nil {
		s.values = map[string]bool{}
	}
	value, marks := value.Unmark()
	_, hide := marks[hidden]
	switch kind := value.Type(); {
	case !value.IsKnown() || value.IsNull():
	case kind == cty.String && hide:
		s.values[value.AsString()] = true
	case kind.IsCollectionType() || kind.IsTupleType() || kind.IsObjectType():
		for it := value.ElementIterator(); it.Next(); {
			_, element := it.Element()
			if hide {
				element = element.Mark(hidden)
			}
			s.learnValue(element)
		}
	}
}

// tooShort is the length of values that are not looked for in messages, where
// they would be found in half of the words.
const tooShort = 3

// scrub takes the secrets out of a message. From a foreign one it takes
// whatever came from outside the file.
func (s *secrets) scrub(text string, in *inputs, foreign bool) string {
	out := keys(s.values, in.secret)
	if foreign {
		out = keys(s.values, in.given)
	}
	for _, value := range out {
		quoted := strconv.Quote(value)
		text = strings.ReplaceAll(text, value, "(secret)")
		text = strings.ReplaceAll(text, quoted[1:len(quoted)-1], "(secret)")
	}
	return text
}

// scrubLine puts stars over the cookies in a line of the source, so that it
// stays as long as it was.
func (s *secrets) scrubLine(line string) string {
	for _, value := range keys(s.values) {
		line = strings.ReplaceAll(line, value, strings.Repeat("*", utf8.RuneCountInString(value)))
	}
	return line
}

// keys returns what is long enough to look for, the longest first: one secret
// may be part of another.
func keys(sets ...map[string]bool) []string {
	var all []string
	for _, set := range sets {
		for value := range set {
			if len(value) > tooShort {
				all = append(all, value)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool {
		if len(all[i]) != len(all[j]) {
			return len(all[i]) > len(all[j])
		}
		return all[i] < all[j]
	})
	return all
}
