package dist

import (
	"bytes"
	"fmt"

	"ehc/transport/etf"
)

// onlyMonitor is [monitor], the options of nearly every spawn request.
var onlyMonitor = []byte("\x6c\x00\x00\x00\x01\x77\x07monitor\x6a")

// spawn reads Leader, {Module, Function, Arity}, Options.
func (p *parser) spawn() *Spawn {
	s := &Spawn{Leader: p.pid()}
	if n := p.tuple(); n != 3 && p.err == nil {
		p.err = fmt.Errorf("function of %d elements", n)
	}
	s.Module, s.Function = p.atom(), p.atom()
	arity := p.uint()
	if arity > 255 && p.err == nil {
		p.err = fmt.Errorf("function of arity %d", arity)
	}
	s.Arity = int(arity)
	p.options(s)
	return s
}

// options reads a list of monitor, {monitor, _}, link and others.
func (p *parser) options(s *Spawn) {
	if bytes.HasPrefix(p.rest, onlyMonitor) {
		s.Monitor, p.rest = true, p.rest[len(onlyMonitor):]
		return
	}
	if p.err != nil {
		return
	}
	var t etf.Term
	t, p.rest, p.err = p.d.Term(p.rest)
	list, ok := t.(etf.List)
	s.Other = !ok
	for _, option := range list {
		if pair, ok := option.(etf.Tuple); ok && len(pair) == 2 && pair[0] == etf.Term(etf.Atom("monitor")) {
			option = pair[0]
		}
		switch option {
		case etf.Term(etf.Atom("monitor")):
			s.Monitor = true
		case etf.Term(etf.Atom("link")):
			s.Link = true
		default:
			s.Other = true
		}
	}
}

// Flags of ALTACT_SIG_SEND. 1 is priority, which means nothing here.
const (
	altactToken = 2
	altactAlias = 4
	altactName  = 8
	altactExit  = 16
)

// altact reads Flags, From, To, and Token if a flag says so: a message, or an exit
// signal if another does, to a pid, an alias or a name.
func (p *parser) altact(c *Control, arity int) {
	flags := p.uint()
	c.From = p.sender()
	switch {
	case flags&altactAlias != 0:
		c.Op, c.Ref = OpAliasSend, p.ref()
	case flags&altactName != 0:
		c.Op, c.Name = OpRegSend, p.atom()
	default:
		c.Op, c.To = OpSend, p.pid()
	}
	if flags&altactExit != 0 {
		c.Named = c.Op == OpRegSend
		c.Op = OpExit2
	}
	if token := flags&altactToken != 0; token != (arity == 5) && p.err == nil {
		p.err = fmt.Errorf("%d elements with the flags %d", arity, flags)
	} else if token {
		p.skip()
	}
}
