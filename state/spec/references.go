package spec

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// reference is a name that an expression uses: root.name, or only root.
type reference struct {
	root, name string
	at         hcl.Range
}

func references(e hclsyntax.Expression) []reference {
	var found []reference
	for _, t := range e.Variables() {
		ref := reference{root: t.RootName(), at: t.SourceRange()}
		if len(t) > 1 {
			ref.name = stepName(t[1])
		}
		found = append(found, ref)
	}
	return found
}

func stepName(step hcl.Traverser) string {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		if key, _ := step.Key.Unmark(); key.Type() == cty.String && key.IsKnown() && !key.IsNull() {
			return key.AsString()
		}
	}
	return ""
}

// resolves says whether all names that an expression uses are known here, and
// reports those that are not.
func (s *scope) resolves(e hclsyntax.Expression, u use) bool {
	good := true
	for _, ref := range references(e) {
		if summary, hint := s.resolve(ref, u); summary != "" {
			s.p.errorAt(ref.at, summary, hint)
			good = false
		}
	}
	return good
}

func (s *scope) resolve(ref reference, u use) (summary, hint string) {
	_, stands := placeholders[ref.root]
	switch {
	case u.constant:
		return "a default is a constant", "It may use functions, but no variables and no locals."
	case ref.root == "local":
		if l := s.locals[ref.name]; l != nil && !u.secret && isSecret(l.value) {
			return fmt.Sprintf("local.%s is a secret", ref.name), onlySecrets
		}
		return unknownName("local", ref.name, s.localNames())
	case ref.root == "var":
		if value, ok := s.vars[ref.name]; ok && !u.secret && isSecret(value) {
			return fmt.Sprintf("var.%s is a secret", ref.name), onlySecrets
		}
		return unknownName("var", ref.name, s.varNames())
	case stands && u.template:
		return "", ""
	case stands:
		return fmt.Sprintf("%s is not known here", ref.root), "Only the node option of a peer block may use ip and host: each address gives them anew."
	case u.secret: // it may be a cookie that lacks its quotes
		return "a name that is not known", "Text stands in quotes. Locals are written local.NAME, variables var.NAME."
	}
	return fmt.Sprintf("unknown name %q", ref.root), s.bareHint(ref.root, u)
}

// isSecret says whether a value is hidden, and not only in the file itself.
func isSecret(value cty.Value) bool {
	_, marks := value.UnmarkDeep()
	_, hide := marks[hidden]
	_, from := marks[outside]
	return hide && from
}

// bareHint says what was probably meant by a name with no local. or var.
// before it.
func (s *scope) bareHint(name string, u use) string {
	const rule = "Text stands in quotes. Locals are written local.NAME, variables var.NAME."
	switch {
	case s.locals[name] != nil:
		return fmt.Sprintf("Did you mean local.%s?", name)
	case slices.Contains(s.varNames(), name):
		return fmt.Sprintf("Did you mean var.%s?", name)
	}
	known := []string{"local", "var"}
	if u.template {
		known = append(known, "ip", "host")
	}
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return rule
}

func unknownName(root, name string, known []string) (summary, hint string) {
	switch {
	case slices.Contains(known, name):
		return "", ""
	case name == "":
		return fmt.Sprintf("%s is not a value by itself", root), fmt.Sprintf("Say which: %s.NAME", root)
	}
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf("Did you mean %s.%s?", root, near)
	} else {
		hint = map[string]string{
			"local": "Locals are set in a locals block.",
			"var":   "Variables are declared by a variable block.",
		}[root]
	}
	return fmt.Sprintf("there is no %s.%s", root, name), hint
}

func (s *scope) localNames() []string { return sortedKeys(s.locals) }
func (s *scope) varNames() []string   { return sortedKeys(s.vars) }

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// calls says whether all functions that an expression calls are known, and
// reports those that are not.
func (s *scope) calls(e hclsyntax.Expression, u use) bool {
	good := true
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return nil
		}
		if _, known := s.functions[call.Name]; known {
			return nil
		}
		good = false
		names := functionNames()
		switch near := nearest(call.Name, names); {
		case near != "":
			s.p.errorAt(call.NameRange, fmt.Sprintf("unknown function %q", call.Name), fmt.Sprintf("Did you mean %q?", near))
		case u.secret: // it may be a cookie that lacks its quotes
			s.p.errorAt(call.NameRange, "a function that is not known", "Text stands in quotes.")
		default:
			s.p.errorAt(call.NameRange, fmt.Sprintf("unknown function %q", call.Name), "The functions are "+strings.Join(names, ", ")+".")
		}
		return nil
	})
	return good
}
