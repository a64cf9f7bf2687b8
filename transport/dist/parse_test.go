package dist

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/etf"
)

// What the table below talks of.
var (
	theirs = etf.Pid{Node: "a@127.0.0.1", ID: 0x5b, Creation: 0x6b046c5b}
	ours   = etf.Pid{Node: "go@127.0.0.1", ID: 1, Creation: 0x11223344}
	second = etf.Pid{Node: "go@127.0.0.1", ID: 2, Serial: 7, Creation: 0x11223344}
	ref    = etf.Ref{Node: "go@127.0.0.1", Creation: 0x11223344, Len: 3, ID: [5]uint32{1, 2, 3}}
	alias  = etf.Ref{Node: "go@127.0.0.1", Creation: 0x11223344, Len: 5, ID: [5]uint32{1, 2, 3, 4, 5}}
	token  = etf.Tuple{1, 2, 3, theirs, 4}
	port   = etf.Port{Node: "a@127.0.0.1", ID: 3, Creation: 0x6b046c5b}
	fail   = etf.Atom("badarg")
)

// packet is 112, 131, the tuple of these elements, and 131 and each payload.
func packet(payload string, elems ...etf.Term) []byte {
	b, err := etf.Append([]byte{passThrough, version}, etf.Tuple(elems))
	if err != nil {
		panic(err)
	}
	if payload == "" {
		return b
	}
	return append(append(b, version), payload...)
}

const hi = "w\x02hi"

func TestParseEveryOperation(t *testing.T) {
	none := etf.Atom("")
	message := []byte(hi)
	reason := []byte("w\x06badarg")
	call := etf.Tuple{etf.Atom("erpc"), etf.Atom("execute_call"), 4}
	spawn := &Spawn{Leader: second, Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true}
	monitor := etf.List{etf.Atom("monitor")}
	tests := map[string]struct {
		packet []byte
		want   Control
	}{
		"1 link":                        {packet("", 1, theirs, ours), Control{Op: OpLink, From: theirs, To: ours}},
		"2 send without a sender":       {packet(hi, 2, none, ours), Control{Op: OpSend, To: ours, Payload: message}},
		"3 exit":                        {packet("", 3, theirs, ours, fail), Control{Op: OpExit, From: theirs, To: ours, Payload: reason}},
		"4 unlink":                      {packet("", 4, theirs, ours), Control{Op: OpUnlink, From: theirs, To: ours}},
		"6 send to a name":              {packet(hi, 6, theirs, none, etf.Atom("rex")), Control{Op: OpRegSend, From: theirs, Name: "rex", Payload: message}},
		"7 group leader":                {packet("", 7, theirs, ours), Control{Op: OpGroupLeader, From: theirs, To: ours}},
		"8 exit/2":                      {packet("", 8, theirs, ours, fail), Control{Op: OpExit2, From: theirs, To: ours, Payload: reason}},
		"12 send, traced":               {packet(hi, 12, none, ours, token), Control{Op: OpSend, To: ours, Payload: message}},
		"13 exit, traced":               {packet("", 13, theirs, ours, token, fail), Control{Op: OpExit, From: theirs, To: ours, Payload: reason}},
		"16 send to a name, traced":     {packet(hi, 16, theirs, none, etf.Atom("rex"), token), Control{Op: OpRegSend, From: theirs, Name: "rex", Payload: message}},
		"18 exit/2, traced":             {packet("", 18, theirs, ours, token, fail), Control{Op: OpExit2, From: theirs, To: ours, Payload: reason}},
		"19 monitor of a pid":           {packet("", 19, theirs, ours, ref), Control{Op: OpMonitor, From: theirs, To: ours, Ref: ref}},
		"19 monitor of a name":          {packet("", 19, theirs, etf.Atom("rex"), ref), Control{Op: OpMonitor, From: theirs, Named: true, Name: "rex", Ref: ref}},
		"20 demonitor of a pid":         {packet("", 20, theirs, ours, ref), Control{Op: OpDemonitor, From: theirs, To: ours, Ref: ref}},
		"20 demonitor of a name":        {packet("", 20, theirs, etf.Atom("rex"), ref), Control{Op: OpDemonitor, From: theirs, Named: true, Name: "rex", Ref: ref}},
		"21 down":                       {packet("", 21, theirs, ours, ref, fail), Control{Op: OpDown, From: theirs, To: ours, Ref: ref, Payload: reason}},
		"21 down of a name":             {packet("", 21, etf.Atom("rex"), ours, ref, fail), Control{Op: OpDown, Named: true, Name: "rex", To: ours, Ref: ref, Payload: reason}},
		"22 send":                       {packet(hi, 22, theirs, ours), Control{Op: OpSend, From: theirs, To: ours, Payload: message}},
		"22 send by a port":             {packet(hi, 22, port, ours), Control{Op: OpSend, To: ours, Payload: message}},
		"23 send, traced":               {packet(hi, 23, theirs, ours, token), Control{Op: OpSend, From: theirs, To: ours, Payload: message}},
		"24 exit":                       {packet(hi, 24, theirs, ours), Control{Op: OpExit, From: theirs, To: ours, Payload: message}},
		"25 exit, traced":               {packet(hi, 25, theirs, ours, token), Control{Op: OpExit, From: theirs, To: ours, Payload: message}},
		"26 exit/2":                     {packet(hi, 26, theirs, ours), Control{Op: OpExit2, From: theirs, To: ours, Payload: message}},
		"27 exit/2, traced":             {packet(hi, 27, theirs, ours, token), Control{Op: OpExit2, From: theirs, To: ours, Payload: message}},
		"28 down":                       {packet(hi, 28, theirs, ours, ref), Control{Op: OpDown, From: theirs, To: ours, Ref: ref, Payload: message}},
		"28 down of a name":             {packet(hi, 28, etf.Atom("rex"), ours, ref), Control{Op: OpDown, Named: true, Name: "rex", To: ours, Ref: ref, Payload: message}},
		"29 spawn request":              {packet("j", 29, ref, theirs, second, call, monitor), Control{Op: OpSpawnRequest, Ref: ref, From: theirs, Spawn: spawn, Payload: []byte("j")}},
		"30 spawn request, traced":      {packet("j", 30, ref, theirs, second, call, monitor, token), Control{Op: OpSpawnRequest, Ref: ref, From: theirs, Spawn: spawn, Payload: []byte("j")}},
		"31 spawn reply":                {packet("", 31, ref, ours, 2, theirs), Control{Op: OpSpawnReply, Ref: ref, To: ours, From: theirs}},
		"31 spawn reply, not started":   {packet("", 31, ref, ours, 0, etf.Atom("notsup")), Control{Op: OpSpawnReply, Ref: ref, To: ours, Named: true, Name: "notsup"}},
		"32 spawn reply, traced":        {packet("", 32, ref, ours, 2, theirs, token), Control{Op: OpSpawnReply, Ref: ref, To: ours, From: theirs}},
		"33 send to an alias":           {packet(hi, 33, theirs, alias), Control{Op: OpAliasSend, From: theirs, Ref: alias, Payload: message}},
		"34 send to an alias, traced":   {packet(hi, 34, theirs, alias, token), Control{Op: OpAliasSend, From: theirs, Ref: alias, Payload: message}},
		"35 unlink":                     {packet("", 35, uint64(1<<64-1), theirs, ours), Control{Op: OpUnlinkID, ID: 1<<64 - 1, From: theirs, To: ours}},
		"36 unlink ack":                 {packet("", 36, 1, theirs, ours), Control{Op: OpUnlinkIDAck, ID: 1, From: theirs, To: ours}},
		"37 urgent send":                {packet(hi, 37, 1, theirs, ours), Control{Op: OpSend, From: theirs, To: ours, Payload: message}},
		"37 send, traced":               {packet(hi, 37, 2, theirs, ours, token), Control{Op: OpSend, From: theirs, To: ours, Payload: message}},
		"37 send to an alias":           {packet(hi, 37, 4, theirs, alias), Control{Op: OpAliasSend, From: theirs, Ref: alias, Payload: message}},
		"37 send to an alias, traced":   {packet(hi, 37, 6, theirs, alias, token), Control{Op: OpAliasSend, From: theirs, Ref: alias, Payload: message}},
		"37 urgent send to a name":      {packet(hi, 37, 9, theirs, etf.Atom("rex")), Control{Op: OpRegSend, From: theirs, Name: "rex", Payload: message}},
		"37 urgent exit":                {packet(hi, 37, 17, theirs, ours), Control{Op: OpExit2, From: theirs, To: ours, Payload: message}},
		"37 urgent exit to an alias":    {packet(hi, 37, 21, theirs, alias), Control{Op: OpExit2, From: theirs, Ref: alias, Payload: message}},
		"37 urgent exit to a name":      {packet(hi, 37, 25, theirs, etf.Atom("rex")), Control{Op: OpExit2, From: theirs, Named: true, Name: "rex", Payload: message}},
		"bytes after the control tuple": {packet("xx", 1, theirs, ours), Control{Op: OpLink, From: theirs, To: ours}},
	}
	d := etf.NewDecoder(etf.DefaultLimits())
	seen := map[byte]bool{}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(tt.packet, d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
		seen[tt.packet[5]] = true
	}
	for op, s := range shapes {
		if s.arity > 0 && !seen[byte(op)] {
			t.Errorf("no packet of %s", Op(op))
		}
	}
}

func TestParseSpawnOptions(t *testing.T) {
	a := func(s string) etf.Term { return etf.Atom(s) }
	tests := map[string]struct {
		options etf.Term
		want    Spawn
	}{
		"none":                         {etf.List{}, Spawn{}},
		"monitor":                      {etf.List{a("monitor")}, Spawn{Monitor: true}},
		"link":                         {etf.List{a("link")}, Spawn{Link: true}},
		"both":                         {etf.List{a("link"), a("monitor")}, Spawn{Link: true, Monitor: true}},
		"monitor with options":         {etf.List{etf.Tuple{a("monitor"), etf.List{}}}, Spawn{Monitor: true}},
		"others besides":               {etf.List{a("monitor"), etf.Tuple{a("priority"), a("high")}}, Spawn{Monitor: true, Other: true}},
		"lists and maps are others":    {etf.List{etf.List{1}, etf.Map{}, a("monitor")}, Spawn{Monitor: true, Other: true}},
		"something that is no list":    {a("monitor"), Spawn{Other: true}},
		"a list that is no proper one": {etf.ImproperList{Elems: []etf.Term{a("monitor")}, Tail: 1}, Spawn{Other: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			mfa := etf.Tuple{a("m"), a("f"), 255}
			tt.want.Leader, tt.want.Module, tt.want.Function, tt.want.Arity = second, "m", "f", 255
			got, err := Parse(packet("j", 29, ref, theirs, second, mfa, tt.options), etf.NewDecoder(etf.DefaultLimits()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got.Spawn); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	mfa := etf.Tuple{etf.Atom("m"), etf.Atom("f"), 1}
	tests := map[string]struct {
		packet []byte
		text   string
	}{
		"nothing":                           {nil, "begins with"},
		"one byte":                          {[]byte{112}, "70"},
		"a packet with a header":            {[]byte{131, 68, 0}, "8344"},
		"a control message without 131":     {[]byte{112, 104, 3}, "7068"},
		"a compressed control message":      {[]byte{112, 131, 80, 0, 0, 0, 1}, ""},
		"a control message that is no list": {[]byte{112, 131, 97, 1}, ""},
		"an empty tuple":                    {[]byte{112, 131, 104, 0}, ""},
		"an operation that is no number":    {packet("", etf.Atom("link"), theirs, ours), ""},
		"operation 0":                       {packet("", 0, theirs, ours), "operation 0 is not known"},
		"operation 5":                       {packet("", 5, theirs, ours), "operation 5"},
		"operation 38":                      {packet("", 38, theirs, ours), "operation 38"},
		"operation 2^32+22":                 {packet(hi, 1<<32+22, theirs, ours), "not known"},
		"too few elements":                  {packet("", 1, theirs), "LINK with 2 elements in place of 3"},
		"too many elements":                 {packet(hi, 22, theirs, ours, token), "SEND_SENDER with 4"},
		"a link of a name":                  {packet("", 1, etf.Atom("rex"), ours), "LINK"},
		"a send to a reference":             {packet(hi, 22, theirs, ref), "SEND_SENDER"},
		"a send to a name that is a binary": {packet(hi, 6, theirs, etf.Atom(""), "rex"), "REG_SEND"},
		"a send without its message":        {packet("", 22, theirs, ours), "no payload"},
		"a message without its 131":         {append(packet("", 22, theirs, ours), hi...), "begins with 119"},
		"a message that ends with its 131":  {append(packet("", 22, theirs, ours), version), "no payload"},
		"an unlink with the id 0":           {packet("", 35, 0, theirs, ours), "id 0"},
		"an unlink ack with the id 0":       {packet("", 36, 0, theirs, ours), "id 0"},
		"an unlink with the id -1":          {packet("", 35, -1, theirs, ours), "UNLINK_ID"},
		"a spawn of a pair":                 {packet("j", 29, ref, theirs, second, mfa[:2], etf.List{}), "function of 2"},
		"a spawn of arity 256":              {packet("j", 29, ref, theirs, second, etf.Tuple{mfa[0], mfa[1], 256}, etf.List{}), "arity 256"},
		"a token that no flag announces":    {packet(hi, 37, 0, theirs, ours, token), "5 elements with the flags 0"},
		"a flag that announces a token":     {packet(hi, 37, 2, theirs, ours), "4 elements with the flags 2"},
		"an atom cache reference":           {[]byte("\x70\x83\x68\x03\x61\x01\x58\x52\x00"), "LINK"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(tt.packet, etf.NewDecoder(etf.DefaultLimits()))
			if !errors.Is(err, ErrControl) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got error %v and %+v, want one that says %q", err, c, tt.text)
			}
		})
	}
	for _, b := range [][]byte{packet("j", 28, theirs, ours, ref), packet("j", 29, ref, theirs, second, mfa, etf.List{etf.Atom("link")})} {
		for n := range len(b) {
			if _, err := Parse(b[:n], etf.NewDecoder(etf.DefaultLimits())); !errors.Is(err, ErrControl) {
				t.Errorf("the first %d bytes of %x: %v", n, b, err)
			}
		}
	}
}

func TestParseOfWhatComesOftenAllocatesNothing(t *testing.T) {
	for _, b := range hotPackets() {
		d := etf.NewDecoder(etf.DefaultLimits())
		n := testing.AllocsPerRun(100, func() {
			if _, err := Parse(b, d); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", Op(b[5]), n)
		}
	}
}

// hotPackets are those of calls and messages.
func hotPackets() [][]byte {
	return [][]byte{
		packet(hi, 28, theirs, ours, ref),
		packet("", 31, ref, ours, 2, theirs),
		packet(hi, 22, theirs, ours),
		packet(hi, 6, theirs, etf.Atom(""), etf.Atom("rex")),
		packet(hi, 33, theirs, alias),
		packet("", 19, theirs, etf.Atom("rex"), ref),
		packet("", 20, theirs, ours, ref),
	}
}

func TestOpString(t *testing.T) {
	for want, op := range map[string]Op{"PAYLOAD_MONITOR_P_EXIT": OpDown, "op 5": 5, "op 0": 0, "op 38": 38, "op 255": 255} {
		if got := op.String(); got != want {
			t.Errorf("%d is %q", op, got)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, p := range hotPackets() {
		b.Run(fmt.Sprint(Op(p[5])), func(b *testing.B) {
			d := etf.NewDecoder(etf.DefaultLimits())
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				if _, err := Parse(p, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
