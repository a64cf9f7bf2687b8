package dist

import (
	"errors"
	"fmt"

	"ehc/transport/etf"
)

// A packet that is passed through begins with the first, a packet with a header,
// and every term that stands alone, with the second.
const (
	passThrough = 112
	version     = 131
)

// ErrControl says that a packet is no control message. The peer cannot be relied
// on to be in step any longer, and the connection is of no use.
var ErrControl = errors.New("malformed control message")

// Parse reads a packet without a header, as ReadFrame gives it, ticks excepted:
//
//	112 | 131 | control tuple | 131 | payload
//
// where the payload may be missing. d is the connection's decoder. An error wraps
// ErrControl.
//
// Operations that mean the same are folded into one: those with a seq_trace token
// lose it, exits with the reason in the control tuple have it in Payload, and
// what ALTACT_SIG_SEND says of priority is dropped.
//
//	2 12 22 23       OpSend           19  OpMonitor       29 30  OpSpawnRequest
//	3 13 24 25       OpExit           20  OpDemonitor     31 32  OpSpawnReply
//	8 18 26 27       OpExit2           1  OpLink          33 34  OpAliasSend
//	21 28            OpDown            4  OpUnlink        37  OpSend, OpRegSend,
//	6 16             OpRegSend        35  OpUnlinkID          OpAliasSend or
//	7                OpGroupLeader    36  OpUnlinkIDAck       OpExit2
func Parse(packet []byte, d *etf.Decoder) (Control, error) {
	if len(packet) < 2 || packet[0] != passThrough || packet[1] != version {
		return Control{}, fmt.Errorf("%w: packet that begins with %.2x", ErrControl, packet)
	}
	p := parser{d: d, rest: packet[2:]}
	return p.parse()
}

// parser reads terms one after the other and keeps the first error, after which
// every read gives a zero value.
type parser struct {
	d      *etf.Decoder
	rest   []byte
	headed bool // the packet had a header: terms stand without a version
	err    error
}

func (p *parser) parse() (Control, error) {
	c := p.control()
	if p.err != nil {
		return Control{}, fmt.Errorf("%w: %w", ErrControl, p.err)
	}
	return c, nil
}

func (p *parser) control() (c Control) {
	op, s, arity := p.head()
	if p.err != nil {
		return c
	}
	c.Op = s.plain
	if op == opAltact {
		p.altact(&c, arity)
	} else {
		p.fields(op, &c)
	}
	if s.token {
		p.skip()
	}
	if s.payload {
		c.Payload = p.payload()
	}
	if p.err != nil {
		p.err = fmt.Errorf("%s: %w", op, p.err)
	}
	return c
}

// head reads the tuple's arity and its first element.
func (p *parser) head() (Op, shape, int) {
	arity := p.tuple()
	n := p.uint()
	if p.err != nil {
		return 0, shape{}, 0
	}
	if n >= uint64(len(shapes)) || shapes[n].arity == 0 {
		p.err = fmt.Errorf("operation %d is not known", n)
		return 0, shape{}, 0
	}
	s := shapes[n]
	if want := int(s.arity); arity != want && (Op(n) != opAltact || arity != want+1) {
		p.err = fmt.Errorf("%s with %d elements in place of %d", Op(n), arity, want)
	}
	return Op(n), s, arity
}

// fields reads the elements after the first, of everything but ALTACT_SIG_SEND.
func (p *parser) fields(op Op, c *Control) {
	switch op {
	case OpSend, opSendTT: // From, To; the token, here and below, is passed over later
		c.From, c.To = p.sender(), p.pid()
	case opSendPlain, opSendPlainTT: // '', To
		p.skip()
		c.To = p.pid()
	case OpRegSend, opRegSendTT: // From, '', Name
		c.From = p.sender()
		p.skip()
		c.Name = p.atom()
	case OpAliasSend, opAliasSendTT: // From, Ref
		c.From, c.Ref = p.sender(), p.ref()
	case OpDown: // What, Watcher, Ref
		c.From, c.Name, c.Named = p.pidOrName()
		c.To, c.Ref = p.pid(), p.ref()
	case opDownPlain: // What, Watcher, Ref, Reason
		c.From, c.Name, c.Named = p.pidOrName()
		c.To, c.Ref, c.Payload = p.pid(), p.ref(), p.raw()
	case OpSpawnReply, opSpawnReplyTT: // Request, To, Flags, What
		c.Ref, c.To = p.ref(), p.pid()
		p.uint()
		c.From, c.Name, c.Named = p.pidOrName()
	case OpSpawnRequest, opSpawnRequestTT: // Request, From, Leader, {M, F, Arity}, Options
		c.Ref, c.From, c.Spawn = p.ref(), p.pid(), p.spawn()
	case OpMonitor, OpDemonitor: // Watcher, What, Ref
		c.From = p.pid()
		c.To, c.Name, c.Named = p.pidOrName()
		c.Ref = p.ref()
	default:
		p.between(op, c)
	}
}

// between reads the elements of what goes from one pid to another.
func (p *parser) between(op Op, c *Control) {
	switch op {
	case OpLink, OpUnlink, OpGroupLeader: // From, To
		c.From, c.To = p.pid(), p.pid()
	case OpExit, opExitTT, OpExit2, opExit2TT: // From, To
		c.From, c.To = p.sender(), p.pid()
	case opExitPlain, opExit2Plain: // From, To, Reason
		c.From, c.To, c.Payload = p.sender(), p.pid(), p.raw()
	case opExitPlainTT, opExit2PlainTT: // From, To, Token, Reason
		c.From, c.To = p.sender(), p.pid()
		p.skip()
		c.Payload = p.raw()
	case OpUnlinkID, OpUnlinkIDAck: // Id, From, To
		c.ID, c.From, c.To = p.uint(), p.pid(), p.pid()
		if c.ID == 0 && p.err == nil {
			p.err = errors.New("id 0")
		}
	}
}
