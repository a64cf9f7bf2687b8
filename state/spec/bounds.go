package spec

import (
	"fmt"
	"math"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// unbearable finds what would use up the stack or the time of the library and
// says which limit it breaks: brackets that nest, or unary operators that pile
// up, for each of which the parser calls itself; and numbers of very many
// digits, which it keeps in full.
func unbearable(tokens hclsyntax.Tokens) (at hcl.Range, limit string) {
	depth, unary := 0, 0
	for _, t := range tokens {
		switch {
		case t.Type == hclsyntax.TokenBang || t.Type == hclsyntax.TokenMinus:
			unary++
		case opens(t.Type):
			depth, unary = depth+1, 0
		case closes(t.Type):
			depth, unary = depth-1, 0
		default:
			unary = 0
		}
		if depth > maxDepth || unary > maxDepth {
			return t.Range, fmt.Sprintf("Brackets and operators may nest %d levels deep.", maxDepth)
		}
		if t.Type == hclsyntax.TokenNumberLit && longNumber(string(t.Bytes)) {
			return t.Range, fmt.Sprintf("A number may have %d digits, and %d in its exponent.", maxDigits, maxExponent)
		}
	}
	return hcl.Range{}, ""
}

func longNumber(text string) bool {
	digits, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	return len(digits) > maxDigits || len(strings.TrimLeft(exponent, "+-")) > maxExponent
}

// fits says whether a value is no larger than what is left, and takes it off.
func fits(value cty.Value, left *int) bool {
	value, _ = value.Unmark()
	*left--
	switch kind := value.Type(); {
	case *left < 0:
		return false
	case !value.IsKnown() || value.IsNull():
		return true
	case kind == cty.String:
		*left -= len(value.AsString())
		return *left >= 0
	case kind == cty.Number:
		return moderate(value)
	case kind.IsCollectionType() || kind.IsTupleType() || kind.IsObjectType():
		for it := value.ElementIterator(); it.Next(); {
			key, element := it.Element()
			if !fits(key, left) || !fits(element, left) {
				return false
			}
		}
	}
	return true
}

// moderate says whether a known number is neither so large nor so small that no
// option could be about it.
func moderate(number cty.Value) bool {
	f, _ := number.AsBigFloat().Float64()
	f = math.Abs(f)
	return f <= maxNumber && f >= 1/maxNumber || number.AsBigFloat().Sign() == 0
}
