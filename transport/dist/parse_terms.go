package dist

import (
	"errors"
	"fmt"

	"ehc/transport/etf"
)

// Tags of pids, new and old.
const (
	tagPid    = 88
	tagOldPid = 103
)

func (p *parser) tuple() (arity int) {
	if p.err == nil {
		arity, p.rest, p.err = p.d.TupleHeader(p.rest)
	}
	return arity
}

func (p *parser) uint() (n uint64) {
	if p.err == nil {
		n, p.rest, p.err = p.d.Uint(p.rest)
	}
	return n
}

func (p *parser) pid() (pid etf.Pid) {
	if p.err == nil {
		pid, p.rest, p.err = p.d.Pid(p.rest)
	}
	return pid
}

func (p *parser) ref() (ref etf.Ref) {
	if p.err == nil {
		ref, p.rest, p.err = p.d.Ref(p.rest)
	}
	return ref
}

func (p *parser) atom() (a etf.Atom) {
	if p.err == nil {
		a, p.rest, p.err = p.d.Atom(p.rest)
	}
	return a
}

func (p *parser) skip() {
	if p.err == nil {
		p.rest, p.err = p.d.Skip(p.rest)
	}
}

// sender reads a pid, or passes over what else sent something: a port, say.
func (p *parser) sender() etf.Pid {
	if p.err == nil && len(p.rest) > 0 && (p.rest[0] == tagPid || p.rest[0] == tagOldPid) {
		return p.pid()
	}
	p.skip()
	return etf.Pid{}
}

func (p *parser) pidOrName() (pid etf.Pid, name etf.Atom, named bool) {
	if p.err == nil {
		pid, name, named, p.rest, p.err = p.d.PidOrAtom(p.rest)
	}
	return pid, name, named
}

// raw passes over a term and returns its bytes.
func (p *parser) raw() []byte {
	from := p.rest
	p.skip()
	if p.err != nil {
		return nil
	}
	return from[:len(from)-len(p.rest)]
}

// payload returns what follows the control tuple.
func (p *parser) payload() []byte {
	switch {
	case p.err != nil:
	case len(p.rest) < 2 && !p.headed, len(p.rest) == 0:
		p.err = errors.New("no payload")
	case p.headed:
		return p.rest
	case p.rest[0] != version:
		p.err = fmt.Errorf("payload that begins with %d", p.rest[0])
	default:
		return p.rest[1:]
	}
	return nil
}
