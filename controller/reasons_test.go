package controller

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ehc/state/outbox"
)

// reasonShape is what a reason looks like.
var reasonShape = regexp.MustCompile(`^[A-Z][a-zA-Z]+$`)

func TestEveryReasonIsInTheList(t *testing.T) {
	known := map[string]bool{}
	for _, r := range Reasons() {
		if !reasonShape.MatchString(r.Word) || r.Means == "" || known[r.Word] {
			t.Errorf("reason %q: twice, without a meaning, or no word", r.Word)
		}
		known[r.Word] = true
	}
	if !known[outbox.Expired] {
		t.Errorf("%s is not in the list", outbox.Expired)
	}
	words := sourceReasons(t)
	if len(words) < 20 {
		t.Errorf("found only %d reasons in the source: %q", len(words), words)
	}
	for _, w := range words {
		if !known[w] {
			t.Errorf("reason %s is given, and is not in Reasons()", w)
		}
	}
}

// sourceReasons are the words that this package's source gives as a reason: the
// constants whose name begins with reason, and what is assigned to a field or a
// variable called so.
func sourceReasons(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	add := func(name string, value ast.Expr) {
		lit, ok := value.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING || !strings.HasPrefix(strings.ToLower(name), "reason") {
			return
		}
		if w, err := strconv.Unquote(lit.Value); err == nil && reasonShape.MatchString(w) {
			words = append(words, w)
		}
	}
	nameOf := func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			return e.Sel.Name
		}
		return ""
	}
	for _, file := range names {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				add(nameOf(n.Key), n.Value)
			case *ast.AssignStmt:
				for i := range min(len(n.Lhs), len(n.Rhs)) {
					add(nameOf(n.Lhs[i]), n.Rhs[i])
				}
			case *ast.ValueSpec:
				for i := range min(len(n.Names), len(n.Values)) {
					add(n.Names[i].Name, n.Values[i])
				}
			}
			return true
		})
	}
	return words
}
