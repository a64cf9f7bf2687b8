package epmd

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ehc/transport"
)

// Listing is what EPMD knows of one node.
type Listing struct {
	Entry
	// Highest and Lowest are the handshake versions that the node speaks: 6
	// and 5 for OTP 23 and later.
	Highest, Lowest uint16
}

// Names returns the nodes that the EPMD at this address lists, in its order;
// none is an empty list and no error. An error wraps transport.ErrUnreachable,
// ErrTimeout (ctx's deadline, or ten seconds), ErrProtocol for an answer that
// is none, or ctx's cancellation.
func Names(ctx context.Context, at netip.AddrPort) ([]Entry, error) {
	answer, err := ask(ctx, at, []byte{opNames}, maxNames)
	if err != nil {
		return nil, fmt.Errorf("names of %s: %w", at, err)
	}
	entries, err := parseNames(answer)
	if err != nil {
		return nil, fmt.Errorf("names of %s: %w", at, err)
	}
	return entries, nil
}

// parseNames reads a NAMES answer. A name may hold anything but a newline, so
// the port is what follows the last "at port". A last line without its end is
// an answer cut short, and no answer.
func parseNames(answer []byte) ([]Entry, error) {
	if len(answer) < 4 {
		return nil, fmt.Errorf("%w: NAMES answer of %d bytes", transport.ErrProtocol, len(answer))
	}
	entries := []Entry{}
	for rest := answer[4:]; len(rest) > 0; {
		line, more, ended := bytes.Cut(rest, []byte{'\n'})
		e, ok := parseLine(string(line))
		if !ended || !ok {
			return nil, fmt.Errorf("%w: NAMES line %.80q", transport.ErrProtocol, line)
		}
		entries, rest = append(entries, e), more
	}
	return entries, nil
}

func parseLine(line string) (Entry, bool) {
	text, ok := strings.CutPrefix(line, "name ")
	at := strings.LastIndex(text, " at port ")
	if !ok || at < 1 || at > maxName {
		return Entry{}, false
	}
	port, err := strconv.ParseUint(text[at+len(" at port "):], 10, 16)
	return Entry{Name: text[:at], Port: uint16(port)}, err == nil
}

// Lookup asks the EPMD at this address for one node; name is the part before
// the @. An error wraps transport.ErrNotListed if EPMD does not know the name,
// else what Names says.
func Lookup(ctx context.Context, at netip.AddrPort, name string) (Listing, error) {
	if len(name) == 0 || len(name) > maxName {
		return Listing{}, fmt.Errorf("look up %.80q at %s: %w: a name has 1 to %d bytes", name, at, transport.ErrNotListed, maxName)
	}
	answer, err := ask(ctx, at, append([]byte{opPort2}, name...), maxPort2)
	if err != nil {
		return Listing{}, fmt.Errorf("look up %s at %s: %w", name, at, err)
	}
	l, err := parsePort2(answer)
	if err == nil && l.Name != name {
		err = fmt.Errorf("%w: asked for %s, told of %.80q", transport.ErrProtocol, name, l.Name)
	}
	if err != nil {
		return Listing{}, fmt.Errorf("look up %s at %s: %w", name, at, err)
	}
	return l, nil
}

// parsePort2 reads
//
//	119 | 0 | port u16 | type u8 | protocol u8 | highest u16 | lowest u16 | nlen u16 | name | elen u16 | extra
//
// and does not look at what follows the name.
func parsePort2(b []byte) (Listing, error) {
	if len(b) < 2 || b[0] != ansPort2 {
		return Listing{}, fmt.Errorf("%w: PORT2 answer %.16x", transport.ErrProtocol, b)
	}
	if b[1] != 0 {
		return Listing{}, transport.ErrNotListed
	}
	if len(b) < 12 || len(b) < 12+int(binary.BigEndian.Uint16(b[10:])) {
		return Listing{}, fmt.Errorf("%w: PORT2 answer of %d bytes", transport.ErrProtocol, len(b))
	}
	nlen := int(binary.BigEndian.Uint16(b[10:]))
	return Listing{
		Entry:   Entry{Name: string(b[12 : 12+nlen]), Port: binary.BigEndian.Uint16(b[2:])},
		Highest: binary.BigEndian.Uint16(b[6:]),
		Lowest:  binary.BigEndian.Uint16(b[8:]),
	}, nil
}
