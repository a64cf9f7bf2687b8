package spec

import (
	"fmt"
	"slices"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// mark says something of a value. It holds for whatever is made of it.
type mark string

const (
	outside mark = "outside" // it came from the environment or from another file
	hidden  mark = "hidden"  // it is a secret, or part of one
)

// scope is the names that an expression may use.
type scope struct {
	p         *parser
	functions map[string]function.Function
	vars      map[string]cty.Value
	locals    map[string]*local
}

// local is one of the locals: asked for, being worked out, or known.
type local struct {
	attr    *hclsyntax.Attribute
	working bool
	known   bool
	value   cty.Value
}

// newScope works out the variables and the locals of the file.
func (p *parser) newScope(body *hclsyntax.Body) *scope {
	s := &scope{p: p, functions: p.inputs.functions(), vars: map[string]cty.Value{}, locals: map[string]*local{}}
	p.scope = s
	for _, b := range body.Blocks {
		if b.Type == "variable" && len(b.Labels) == 1 {
			s.addVariable(b)
		}
	}
	var order []*local
	for _, b := range body.Blocks {
		if b.Type == "locals" {
			order = append(order, s.addLocals(b)...)
		}
	}
	if len(order) > maxLocals {
		p.errorAt(order[maxLocals].attr.NameRange, "too many locals", fmt.Sprintf("The limit is %d.", maxLocals))
		return s
	}
	for _, l := range order {
		s.work(l)
	}
	return s
}

func (s *scope) addLocals(b *hclsyntax.Block) []*local {
	var added []*local
	for _, a := range inOrder(b.Body.Attributes) {
		if before, twice := s.locals[a.Name]; twice {
			s.p.errorAt(a.NameRange, fmt.Sprintf("a second local %q", a.Name),
				fmt.Sprintf("The first is on line %d.", before.attr.NameRange.Start.Line))
			continue
		}
		l := &local{attr: a, value: cty.DynamicVal}
		s.locals[a.Name] = l
		added = append(added, l)
	}
	return added
}

// addVariable takes a variable's value from EHC_VAR_x, or else its default.
func (s *scope) addVariable(b *hclsyntax.Block) {
	name := b.Labels[0]
	if !hclsyntax.ValidIdentifier(name) {
		s.p.errorAt(b.LabelRanges[0], fmt.Sprintf("%q cannot name a variable", name), "A name is a letter and then letters, digits, _ and -.")
		return
	}
	if _, twice := s.vars[name]; twice {
		s.p.errorAt(b.LabelRanges[0], fmt.Sprintf("a second variable %q", name), "")
		return
	}
	s.vars[name] = cty.DynamicVal
	value, written := cty.DynamicVal, false
	if a := b.Body.Attributes["default"]; a != nil {
		value, written = s.evaluate(a.Expr, use{constant: true}), true
	}
	given, ok := s.p.inputs.lookup("EHC_VAR_" + name)
	secret := s.p.secret.vars[name] || secretName(name)
	switch {
	case ok:
		s.vars[name] = hide(s.variable(b, given, value), secret)
	case written:
		s.vars[name] = hide(value, secret)
	default:
		s.p.errorAt(b.DefRange(), fmt.Sprintf("variable %q has no value", name),
			fmt.Sprintf("Set the environment variable EHC_VAR_%s, or give it a default.", name))
	}
}

// variable makes a value of what the environment gives, of the type that the
// default has.
func (s *scope) variable(b *hclsyntax.Block, given string, like cty.Value) cty.Value {
	value := cty.StringVal(given)
	bare, _ := like.UnmarkDeep()
	if kind := bare.Type(); bare.IsKnown() && !bare.IsNull() && kind.IsPrimitiveType() {
		converted, err := convert.Convert(value, kind)
		if err != nil {
			s.p.errorAt(b.DefRange(), fmt.Sprintf("EHC_VAR_%s is not a %s, as its default is", b.Labels[0], kind.FriendlyName()), "")
			return cty.DynamicVal
		}
		value = converted
	}
	return value.Mark(outside)
}

// hide marks what a cookie is made of.
func hide(value cty.Value, secret bool) cty.Value {
	if secret {
		return value.Mark(hidden)
	}
	return value
}

// work gives a local its value, after those that it refers to.
func (s *scope) work(l *local) {
	if l.known {
		return
	}
	l.working = true
	for _, ref := range references(l.attr.Expr) {
		next := s.locals[ref.name]
		switch {
		case ref.root != "local" || next == nil:
		case next.working:
			s.p.errorAt(ref.at, fmt.Sprintf("local %q refers to itself", ref.name), "")
			l.working, l.known = false, true
			return
		default:
			s.work(next)
		}
	}
	secret := s.p.secret.locals[l.attr.Name] || secretName(l.attr.Name)
	l.value = hide(s.evaluate(l.attr.Expr, use{secret: secret}), secret)
	l.working, l.known = false, true
}

// use says what an expression is for.
type use struct {
	template bool // ip and host stand for themselves
	secret   bool // no message may quote it
	constant bool // it may use functions, and nothing that has a name
}

// evaluate returns the value of an expression, which is unknown if there is
// none; why has then been reported.
func (s *scope) evaluate(e hclsyntax.Expression, u use) cty.Value {
	if !s.resolves(e, u) {
		return cty.DynamicVal
	}
	value, diags := e.Value(s.context(u))
	s.p.foreign(diags)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	if left := maxValue; !fits(value, &left) {
		s.p.errorAt(e.Range(), "the value is too large", fmt.Sprintf("The limit is %d bytes of text and elements, and %g for a number.", maxValue, maxNumber))
		return cty.DynamicVal
	}
	s.p.secret.learnValue(hide(value, u.secret))
	return value
}

func (s *scope) context(u use) *hcl.EvalContext {
	locals := map[string]cty.Value{}
	for name, l := range s.locals {
		locals[name] = l.value
	}
	ctx := &hcl.EvalContext{Functions: s.functions, Variables: map[string]cty.Value{
		"local": cty.ObjectVal(locals),
		"var":   cty.ObjectVal(s.vars),
	}}
	if u.template {
		for name, stands := range placeholders {
			ctx.Variables[name] = cty.StringVal(stands)
		}
	}
	return ctx
}

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
		return unknownName("local", ref.name, s.localNames())
	case ref.root == "var":
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
