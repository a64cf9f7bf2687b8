package spec

import (
	"fmt"

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
	functions map[string]function.Function // without secrets
	secrets   map[string]function.Function
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
	s := &scope{p: p, functions: p.inputs.functions(false), secrets: p.inputs.functions(true), vars: map[string]cty.Value{}, locals: map[string]*local{}}
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
	secret := s.p.secret.vars[name] || s.p.inputs.isSecret("EHC_VAR_"+name)
	if a := b.Body.Attributes["default"]; a != nil {
		value, written = s.evaluate(a.Expr, use{constant: true, secret: secret}), true
	}
	given, ok := s.p.inputs.lookup("EHC_VAR_" + name)
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
	secret   bool // no message may quote it, and it may be made of secrets
	constant bool // it may use functions, and nothing that has a name
}

// evaluate returns the value of an expression, which is unknown if there is
// none; why has then been reported.
func (s *scope) evaluate(e hclsyntax.Expression, u use) cty.Value {
	if resolves, calls := s.resolves(e, u), s.calls(e, u); !resolves || !calls {
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
	functions := s.functions
	if u.secret {
		functions = s.secrets
	}
	ctx := &hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{
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
