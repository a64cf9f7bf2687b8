package epmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ehc/transport"
	"ehc/transport/transporttest/corpus"
)

// serving starts a Server on a port of its own. It ends with the test, and nothing
// of it is left.
func serving(t *testing.T, s *Server) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, l)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// serve returns what ends the Server before the test does.
func serve(t *testing.T, s *Server, l net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// say sends bytes and returns the whole answer.
func say(t *testing.T, at netip.AddrPort, b string) string {
	t.Helper()
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	_, _ = c.Write([]byte(b))
	answer, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.EOF) && len(answer) == 0 {
		return "" // reset, as the rest of a bad request was never read
	}
	return string(answer)
}

func TestServerListsAndAnswers(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("in a test of its own", func(t *testing.T) {
		s := new(Server)
		at := serving(t, s)
		g, err := Register(t.Context(), at, Registration{Name: "go", Port: 50001})
		if err != nil {
			t.Fatal(err)
		}
		if g.Creation() < 4 {
			t.Errorf("creation %d", g.Creation())
		}
		if err := s.Add(Entry{Name: "added", Port: 7}); err != nil {
			t.Fatal(err)
		}
		names, err := Names(t.Context(), at)
		if diff := cmp.Diff([]Entry{{"added", 7}, {"go", 50001}}, names); diff != "" || err != nil {
			t.Error(err, diff)
		}
		if diff := cmp.Diff(names, s.Entries()); diff != "" {
			t.Error(diff)
		}
		for _, want := range names {
			l, err := Lookup(t.Context(), at, want.Name)
			if diff := cmp.Diff(Listing{want, 6, 5}, l); diff != "" || err != nil {
				t.Error(err, diff)
			}
		}
		if _, err := Lookup(t.Context(), at, "go@127.0.0.1"); !errors.Is(err, transport.ErrNotListed) {
			t.Errorf("a full name: %v", err)
		}
		if s.Remove("go") || !s.Remove("added") || s.Remove("added") {
			t.Error("removed what registered itself, or not what was added, or twice")
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		<-g.Lost()
		eventually(t, func() bool { return len(s.Entries()) == 0 })
	})
}

// eventually waits for what another goroutine does without a word to us.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it never came to that")
		}
	}
}

func TestNameTaken(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	first, err := Register(t.Context(), at, reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Register(t.Context(), at, reg("a"))
	var taken *TakenError
	if !errors.As(err, &taken) || taken.Name != "a" {
		t.Errorf("second registration: %v", err)
	}
	if err := s.Add(Entry{"a", 1}); !errors.As(err, &taken) {
		t.Errorf("added: %v", err)
	}
	_ = first.Close()
	eventually(t, func() bool { return len(s.Entries()) == 0 })
	second, err := Register(t.Context(), at, reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Creation() == first.Creation() {
		t.Errorf("two incarnations of creation %d", first.Creation())
	}
}

func TestRegistrationEndsWithTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := new(Server)
	stop := serve(t, s, l)
	g, err := Register(t.Context(), l.Addr().(*net.TCPAddr).AddrPort(), reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-g.Lost()
	if e := s.Entries(); len(e) > 0 {
		t.Errorf("still listed: %v", e)
	}
}

func TestMoreThanTheRequestEndsARegistration(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	alive := string(request(reg("a").alive2()))
	if got := say(t, at, alive+"x"); len(got) != 6 || got[:2] != "\x76\x00" {
		t.Errorf("answered %x", got)
	}
	eventually(t, func() bool { return len(s.Entries()) == 0 })
}

func TestServerAnswersWithBytes(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	if err := s.Add(Entry{"a", 0x1234}); err != nil {
		t.Fatal(err)
	}
	port := string([]byte{0, 0, byte(at.Port() >> 8), byte(at.Port())})
	tests := map[string]struct{ says, want string }{
		"names":                        {"\x00\x01n", port + "name a at port 4660\n"},
		"a port":                       {"\x00\x02za", "\x77\x00\x12\x34\x4d\x00\x00\x06\x00\x05\x00\x01a\x00\x00"},
		"a port of nobody":             {"\x00\x02zb", "\x77\x01"},
		"a port of a longer name":      {"\x00\x03zab", "\x77\x01"},
		"a name that is taken":         {"\x00\x0ex\x00\x01M\x00\x00\x06\x00\x05\x00\x01a\x00\x00", "\x76\x01\x00\x00\x00\x63"},
		"the same by an old node":      {"\x00\x0ex\x00\x01M\x00\x00\x05\x00\x05\x00\x01a\x00\x00", "\x79\x01\x00\x63"},
		"a dump is not given":          {"\x00\x01d", ""},
		"it is not killed":             {"\x00\x01k", ""},
		"it stops nobody":              {"\x00\x02sa", ""},
		"a request without bytes":      {"\x00\x00", ""},
		"a request of unheard length":  {"\x04\x01n", ""},
		"a registration without name":  {"\x00\x0dx\x00\x01M\x00\x00\x06\x00\x05\x00\x00\x00\x00", ""},
		"a registration without port":  {"\x00\x0ex\x00\x00M\x00\x00\x06\x00\x05\x00\x01b\x00\x00", ""},
		"a name of two lines":          {"\x00\x0ex\x00\x01M\x00\x00\x06\x00\x05\x00\x01\n\x00\x00", ""},
		"a name longer than it is":     {"\x00\x0ex\x00\x01M\x00\x00\x06\x00\x05\x00\x02b\x00\x00", ""},
		"an extra longer than it is":   {"\x00\x0ex\x00\x01M\x00\x00\x06\x00\x05\x00\x01b\x00\x01", ""},
		"a registration cut far short": {"\x00\x03x\x00\x01", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := say(t, at, tt.says); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestServerEchoesWhatANodeSaid(t *testing.T) {
	at := serving(t, new(Server))
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	said := "\x12\x34\x48\x01\x00\x05\x00\x05\x00\x03old\x00\x02hi"
	_, _ = c.Write(append([]byte{0, byte(1 + len(said)), 'x'}, said...))
	answer := make([]byte, 4)
	if _, err := io.ReadFull(c, answer); err != nil {
		t.Fatal(err)
	}
	if answer[0] != 'y' || answer[1] != 0 || answer[2] != 0 || answer[3] < 1 || answer[3] > 3 {
		t.Errorf("answered %x", answer)
	}
	if got := say(t, at, "\x00\x04zold"); got != "\x77\x00"+said {
		t.Errorf("port %q, want %q", got, said)
	}
}

func TestLimitsOfTheServer(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	for i := range maxEntries {
		if err := s.Add(Entry{fmt.Sprintf("n%d", i), 1}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Add(Entry{"one more", 1}) == nil {
		t.Error("one more was added")
	}
	if _, err := Register(t.Context(), at, reg("a")); err == nil {
		t.Error("one more was registered")
	}
	if names, err := Names(t.Context(), at); err != nil || len(names) != maxEntries {
		t.Errorf("%d names, %v", len(names), err)
	}
	s.Remove("n7")
	g, err := Register(t.Context(), at, reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	_ = g.Close()
	for _, e := range []Entry{{"", 1}, {"a", 0}, {strings.Repeat("x", 256), 1}, {"a\nname b", 1}} {
		if s.Add(e) == nil {
			t.Errorf("%.9q with port %d was added", e.Name, e.Port)
		}
	}
}

func TestWhoAsksNothingDoesNotKeepOthersFromAsking(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	silent := func(from string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range maxAsking { // far more than one address has places
		silent("127.0.0.2")
	}
	if _, err := Names(t.Context(), at); err != nil {
		t.Errorf("silent connections of another address keep us out: %v", err)
	}
	var one net.Conn
	for i := range maxAsking - maxPerAddress {
		one = silent(fmt.Sprintf("127.0.1.%d", i/maxPerAddress+1))
	}
	if _, err := Names(t.Context(), at); err == nil { // turned away at once, without a wait
		t.Error("one more was heard than may ask at once")
	}
	one.Close()
	eventually(t, func() bool { _, err := Names(t.Context(), at); return err == nil })
}

func TestServeEndsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := new(Server).Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serve: %v", err)
	}
}

func FuzzServer(f *testing.F) {
	corpus.Hurry(f)
	f.Add(request(reg("a").alive2()))
	f.Add([]byte("\x00\x01n"))
	f.Add([]byte("\x00\x02za"))
	f.Fuzz(func(t *testing.T, says []byte) {
		b, err := readRequest(bytes.NewReader(says))
		if err != nil {
			return
		}
		if e, ok := parseAlive2(b); ok && (checkEntry(e.Entry) != nil || len(e.extra) > len(b)) {
			t.Errorf("%+v", e)
		}
	})
}

// slowToClose is a listener that takes its time, unless a node has lost its
// registration by then.
type slowToClose struct {
	net.Listener
	lost  <-chan struct{}
	early *atomic.Bool
}

func (l slowToClose) Close() error {
	select {
	case <-l.lost:
		l.early.Store(true)
	case <-time.After(50 * time.Millisecond):
	}
	return l.Listener.Close()
}

// Who comes again at once would be taken by a server that ends.
func TestNobodyLosesItsRegistrationToAServerThatStillListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan struct{})
	var early atomic.Bool
	stop := serve(t, new(Server), slowToClose{l, lost, &early})
	g, err := Register(t.Context(), l.Addr().(*net.TCPAddr).AddrPort(), reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-g.Lost(); close(lost) }()
	stop()
	<-lost
	if early.Load() {
		t.Error("the listener was still open")
	}
}
