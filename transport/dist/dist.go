// Package dist is the Erlang distribution protocol, version 6: the flags, the
// handshake, frames and control messages.
//
// It owns what the bytes are and in which order they come, for connections
// without fragments, which is what Offer asks for, and with an atom cache or
// without. It opens no connection, sets no deadline, starts no goroutine and keeps
// nothing between calls but the atoms of HeaderReader and HeaderWriter: whoever
// owns the connection decides when to tick, what a monitor means and what to do
// when a call here returns an error. It refuses to build what makes a peer close
// the connection, where it can know.
//
// A connection goes through it like this, the headers only if both ends offer
// FlagDistHdrAtomCache, and then always:
//
//	Dial or Accept ──▶ ReadFrame ──▶ Parse or HeaderReader.Parse ──▶ Control
//	                   Append… ──▶ etf.Append of the payload ──▶ Seal ──▶ HeaderWriter.Convert
//
// Why no fragments: they let short messages pass a long one. A call that meets an
// answer of 1 MiB waits as long without them, one that meets 64 MiB some 60 ms in
// place of 5 on one machine; what ehc sends and asks for is rarely that long.
//
// The facts are those of OTP's own protocol documents (erl_dist_protocol) as
// OTP 25 to 29 hold to them.
package dist

import (
	"fmt"
	"strings"
)

// Node is one end of a connection.
type Node struct {
	// Name is the full name, name@host.
	Name string
	// Creation is the incarnation: it stands in every pid and reference of the
	// node and differs after a restart. Our own is never 0.
	Creation uint32
	// Flags is what the node offers. In force is what both ends offer.
	Flags Flags
}

// maxNodeName is the longest node name, in bytes: longer ones are no atoms.
const maxNodeName = 255

// CheckName returns an error unless name can be a node's: graphic ASCII, at most
// 255 bytes, with exactly one @ and something on both sides of it. OTP answers
// nok to other names, or closes.
func CheckName(name string) error {
	before, after, _ := strings.Cut(name, "@")
	switch {
	case len(name) > maxNodeName:
		return fmt.Errorf("node name of %d bytes", len(name))
	case before == "" || after == "" || strings.Contains(after, "@"):
		return fmt.Errorf("node name %q is not name@host", name)
	case strings.IndexFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f }) >= 0:
		return fmt.Errorf("node name %q is not graphic ASCII", name)
	}
	return nil
}
