package epmd

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// entry is one listed node. What it said of itself is stored and echoed, no more.
type entry struct {
	Entry
	kind, protocol  byte
	highest, lowest uint16
	extra           []byte
	own             bool // made by the program, not by a connection
}

// table holds the entries of a Server.
type table struct {
	mu       sync.Mutex
	entries  map[string]*entry
	creation uint32
}

// Add lists a node by the program's own hand, until Remove. The error is a
// *TakenError if the name is listed already, or says what is wrong with it.
func (s *Server) Add(e Entry) error {
	if err := checkEntry(e); err != nil {
		return fmt.Errorf("add %.80q: %w", e.Name, err)
	}
	_, err := s.table.add(&entry{Entry: e, kind: typeNormal, highest: version6, lowest: version5, own: true})
	if err != nil {
		return fmt.Errorf("add %s: %w", e.Name, err)
	}
	return nil
}

// Remove takes out what Add put in, and says whether there was such a thing. A
// node that registered itself stays.
func (s *Server) Remove(name string) bool {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	e := s.table.entries[name]
	if e == nil || !e.own {
		return false
	}
	delete(s.table.entries, name)
	return true
}

// Entries returns all that is listed, by name.
func (s *Server) Entries() []Entry { return s.table.list() }

// checkEntry refuses what could not be listed: NAMES gives a line to each name.
func checkEntry(e Entry) error {
	r := Registration(e)
	if err := r.check(); err != nil {
		return err
	}
	if strings.IndexFunc(e.Name, func(c rune) bool { return c < ' ' || c == 0x7f }) >= 0 {
		return fmt.Errorf("control character in the name")
	}
	return nil
}

// add lists e and returns its creation.
func (t *table) add(e *entry) (creation uint32, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[e.Name] != nil {
		return 0, &TakenError{Name: e.Name}
	}
	if len(t.entries) >= maxEntries {
		return 0, fmt.Errorf("%d nodes are listed already", maxEntries)
	}
	if t.entries == nil {
		t.entries = map[string]*entry{}
	}
	t.entries[e.Name] = e
	return t.next(), nil
}

// next counts creations from a random start, so that one which a former Server
// gave is not given again. The first few are reserved.
func (t *table) next() uint32 {
	if t.creation == 0 {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		t.creation = binary.BigEndian.Uint32(b[:])
	}
	t.creation++
	if t.creation < 4 {
		t.creation = 4
	}
	return t.creation
}

// drop takes e out, unless the name is someone else's by now.
func (t *table) drop(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[e.Name] == e {
		delete(t.entries, e.Name)
	}
}

func (t *table) list() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Entry, 0, len(t.entries))
	for e := range maps.Values(t.entries) {
		all = append(all, e.Entry)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func (t *table) names(at net.Addr) []byte {
	var port uint32
	if a, ok := at.(*net.TCPAddr); ok {
		port = uint32(a.Port)
	}
	b := binary.BigEndian.AppendUint32(nil, port)
	for _, e := range t.list() {
		b = fmt.Appendf(b, "name %s at port %d\n", e.Name, e.Port)
	}
	return b
}

func (t *table) port2(name string) []byte {
	t.mu.Lock()
	e := t.entries[name]
	t.mu.Unlock()
	if e == nil {
		return []byte{ansPort2, 1}
	}
	b := binary.BigEndian.AppendUint16([]byte{ansPort2, 0}, e.Port)
	b = append(b, e.kind, e.protocol)
	b = binary.BigEndian.AppendUint16(b, e.highest)
	b = binary.BigEndian.AppendUint16(b, e.lowest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.Name)))
	b = append(b, e.Name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.extra)))
	return append(b, e.extra...)
}

// parseAlive2 reads an ALIVE2 body, whose layout the package comment has.
func parseAlive2(b []byte) (*entry, bool) {
	if len(b) < 13 {
		return nil, false
	}
	nlen := int(binary.BigEndian.Uint16(b[9:]))
	if len(b) < 13+nlen {
		return nil, false
	}
	extra := b[13+nlen:]
	if elen := int(binary.BigEndian.Uint16(b[11+nlen:])); elen != len(extra) {
		return nil, false
	}
	e := &entry{
		Entry: Entry{Name: string(b[11 : 11+nlen]), Port: binary.BigEndian.Uint16(b[1:])},
		kind:  b[3], protocol: b[4],
		highest: binary.BigEndian.Uint16(b[5:]), lowest: binary.BigEndian.Uint16(b[7:]),
		extra: extra,
	}
	return e, checkEntry(e.Entry) == nil
}

// alive2Answer is the answer to a node that speaks what e says. A refusal
// carries 99 where a creation would be, as EPMD's does.
func (e *entry) alive2Answer(creation uint32, ok bool) []byte {
	result, short := byte(0), uint16(creation%3+1)
	if !ok {
		result, short, creation = 1, 99, 99
	}
	if e.highest < version6 {
		return binary.BigEndian.AppendUint16([]byte{ansAlive, result}, short)
	}
	return binary.BigEndian.AppendUint32([]byte{ansAlive2, result}, creation)
}
