package dist

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
)

// A handshake between go@127.0.0.1, which dials, and a node of OTP 27, with the
// cookie abc.
var (
	abc      = transport.NewCookie("abc")
	goNode   = Node{Name: "go@127.0.0.1", Creation: 0x11223344, Flags: 0xd075f0fbc}
	otpNode  = Node{Name: "a@127.0.0.1", Creation: 0x6b046c5b, Flags: 0xd07df7fbd}
	goSays   = unhex(`001b 4e 0000000d075f0fbc 11223344 000c 676f403132372e302e302e31`, `0015 72 01020304 1c8acc897af7886ad710c11697046a7a`)
	otpSays  = unhex(`0003 73 6f6b`, `001e 4e 0000000d07df7fbd 2ff3e3e0 6b046c5b 000b 61403132372e302e302e31`, `0011 61 9cecf55d6eb3a421ea70c553cf3251a0`)
	goAsked  = uint32(0x01020304)
	otpAsked = uint32(0x2ff3e3e0)
)

func unhex(parts ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(parts, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// script is a peer that says what was captured, and keeps what it is told.
type script struct {
	io.Reader
	bytes.Buffer
}

func (s *script) Read(b []byte) (int, error) { return s.Reader.Read(b) }

func TestDialAsCaptured(t *testing.T) {
	peer := &script{Reader: strings.NewReader(string(otpSays) + "tick")}
	got, err := dial(peer, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc}, goAsked)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(otpNode, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(goSays, peer.Bytes()); diff != "" {
		t.Errorf("sent %s", diff)
	}
	if rest, _ := io.ReadAll(peer.Reader); string(rest) != "tick" {
		t.Errorf("left for the next reader: %q", rest)
	}
}

func TestAcceptAsCaptured(t *testing.T) {
	peer := &script{Reader: strings.NewReader(string(goSays) + "tick")}
	got, cookie, err := accept(peer, AcceptOptions{Local: otpNode, Cookies: cookies(transport.NewCookie("old"), abc)}, otpAsked)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(goNode, got); diff != "" || cookie != abc {
		t.Error(diff, cookie)
	}
	if diff := cmp.Diff(otpSays, peer.Bytes()); diff != "" {
		t.Errorf("sent %s", diff)
	}
	if rest, _ := io.ReadAll(peer.Reader); string(rest) != "tick" {
		t.Errorf("left for the next reader: %q", rest)
	}
}

func cookies(c ...transport.Cookie) func(string) []transport.Cookie {
	return func(string) []transport.Cookie { return c }
}

// outcome is how both ends of a handshake saw it.
type outcome struct {
	dialled, accepted Node
	cookie            transport.Cookie
	dialErr           error
	acceptErr         error
}

// meet lets the two ends do their handshake over a pipe. Each closes when it is
// done and the other has to see that.
func meet(t *testing.T, d DialOptions, a AcceptOptions) (o outcome) {
	t.Helper()
	near, far := net.Pipe()
	limit := time.Now().Add(5 * time.Minute)
	_, _ = near.SetDeadline(limit), far.SetDeadline(limit)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		o.accepted, o.cookie, o.acceptErr = Accept(far, a)
	}()
	o.dialled, o.dialErr = Dial(near, d)
	near.Close()
	<-done
	return o
}

func TestDialMeetsAccept(t *testing.T) {
	other := transport.NewCookie("another")
	tests := map[string]struct {
		change func(*DialOptions, *AcceptOptions)
		dial   error // nil with accept nil: both are up
		accept error
	}{
		"equal cookies meet":                        {change: func(*DialOptions, *AcceptOptions) {}},
		"lengths are wide over TLS":                 {change: func(d *DialOptions, a *AcceptOptions) { d.Wide, a.Wide = true, true }},
		"either of two cookies will do":             {change: func(_ *DialOptions, a *AcceptOptions) { a.Cookies = cookies(other, abc) }},
		"decided ok":                                {change: func(_ *DialOptions, a *AcceptOptions) { a.Decide = always(OK) }},
		"the dialler of the greater name wins":      {change: func(_ *DialOptions, a *AcceptOptions) { a.Decide = always(OKSimultaneous) }},
		"a dead connection is taken over":           {change: func(_ *DialOptions, a *AcceptOptions) { a.Decide = always(Alive) }},
		"a live connection is kept":                 {func(d *DialOptions, a *AcceptOptions) { d.Keep, a.Decide = func() bool { return true }, always(Alive) }, transport.ErrYielded, ErrStays},
		"the dialler of the lesser name gives way":  {func(_ *DialOptions, a *AcceptOptions) { a.Decide = always(Nok) }, transport.ErrYielded, ErrNok},
		"another cookie is rejected":                {func(d *DialOptions, _ *AcceptOptions) { d.Cookie = other }, transport.ErrCookie, transport.ErrCookie},
		"no takeover without the cookie":            {func(d *DialOptions, a *AcceptOptions) { d.Cookie, a.Decide = other, always(Alive) }, transport.ErrCookie, transport.ErrCookie},
		"no cookies let nobody in":                  {func(_ *DialOptions, a *AcceptOptions) { a.Cookies = cookies() }, transport.ErrCookie, transport.ErrCookie},
		"an empty cookie is not dialled with":       {func(d *DialOptions, _ *AcceptOptions) { d.Cookie = transport.Cookie{} }, transport.ErrCookie, transport.ErrUnreachable},
		"too few flags of the dialler are refused":  {func(d *DialOptions, _ *AcceptOptions) { d.Local.Flags &^= FlagUnlinkID }, transport.ErrFlags, transport.ErrFlags},
		"too few flags of the acceptor are refused": {func(_ *DialOptions, a *AcceptOptions) { a.Local.Flags &^= FlagV4NC }, transport.ErrFlags, transport.ErrUnreachable},
		"another name than wanted is refused":       {func(d *DialOptions, _ *AcceptOptions) { d.Want = "b@127.0.0.1" }, transport.ErrName, transport.ErrUnreachable},
		"our own name is refused":                   {func(d *DialOptions, _ *AcceptOptions) { d.Local.Name = otpNode.Name }, transport.ErrYielded, transport.ErrName},
		"a malformed name is not dialled from":      {func(d *DialOptions, _ *AcceptOptions) { d.Local.Name = "go" }, transport.ErrName, transport.ErrUnreachable},
		"a malformed name is not dialled":           {func(d *DialOptions, _ *AcceptOptions) { d.Want = "a@b@c" }, transport.ErrName, transport.ErrUnreachable},
		"a decision that is none ends it":           {func(_ *DialOptions, a *AcceptOptions) { a.Decide = always(9) }, transport.ErrUnreachable, errAny},
		"no room is made":                           {func(_ *DialOptions, a *AcceptOptions) { a.Decide, a.Admit = always(Alive), full }, transport.ErrCookie, errFull},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var admitted []Decision
			d := DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc}
			a := AcceptOptions{Local: otpNode, Cookies: cookies(abc), Admit: func(node string, d Decision) error {
				admitted = append(admitted, d)
				if node != goNode.Name {
					t.Errorf("admit %q", node)
				}
				return nil
			}}
			tt.change(&d, &a)
			o := meet(t, d, a)
			wantErr(t, "dial", o.dialErr, tt.dial)
			wantErr(t, "accept", o.acceptErr, tt.accept)
			var want []Decision
			if tt.accept == nil {
				want = []Decision{decided(a)}
			}
			if !slices.Equal(want, admitted) {
				t.Errorf("admitted after %v, want %v", admitted, want)
			}
			if tt.dial == nil && tt.accept == nil {
				want := outcome{dialled: otpNode, accepted: goNode, cookie: abc}
				if diff := cmp.Diff(want, o, cmp.AllowUnexported(outcome{}, transport.Cookie{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

var (
	errAny  = errors.New("any error")
	errFull = errors.New("full")
)

// decided is what the accepting side makes of any name.
func decided(a AcceptOptions) Decision {
	if a.Decide == nil {
		return OK
	}
	return a.Decide("")
}

func full(string, Decision) error { return errFull }

func always(d Decision) func(string) Decision { return func(string) Decision { return d } }

func wantErr(t *testing.T, who string, got, want error) {
	t.Helper()
	switch {
	case want == nil && got != nil, errors.Is(want, errAny) && got == nil:
		t.Errorf("%s: got error %v", who, got)
	case want != nil && !errors.Is(want, errAny) && !errors.Is(got, want):
		t.Errorf("%s: got error %v, want %v", who, got, want)
	}
	if got != nil && strings.Contains(got.Error(), abc.Reveal()+" ") {
		t.Errorf("%s: the cookie stands in %q", who, got)
	}
}

func TestCollide(t *testing.T) {
	if got := Collide("z@h", "a@h"); got != Nok {
		t.Errorf("the greater accepts: %s", got)
	}
	if got := Collide("a@h", "z@h"); got != OKSimultaneous {
		t.Errorf("the lesser accepts: %s", got)
	}
}

func TestChallengesDiffer(t *testing.T) {
	seen := map[uint32]bool{}
	for range 64 {
		seen[newChallenge()] = true
	}
	if len(seen) < 60 {
		t.Errorf("%d of 64 challenges are different", len(seen))
	}
}
