package epmd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/transporttest/corpus"
	"ehc/transport/transporttest/port"
)

// answering is an EPMD that says one thing to each connection, byte by byte, and
// closes; with silent it says nothing and does not close.
func answering(t *testing.T, answer string, silent bool) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); l.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = readRequest(c)
			for i := range len(answer) {
				_, _ = c.Write([]byte{answer[i]})
			}
			if silent {
				<-stop
			}
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// refusing is an address where nothing listens.
func refusing(t *testing.T) netip.AddrPort {
	t.Helper()
	return loopback(port.Free(t))
}

func TestNames(t *testing.T) {
	tests := map[string]struct {
		answer string
		want   []Entry
		err    error
	}{
		"nobody is listed":                   {"\x00\x00\x11\x11", []Entry{}, nil},
		"two nodes in EPMD's order":          {"\x00\x00\x11\x11name b at port 40001\nname a at port 1\n", []Entry{{"b", 40001}, {"a", 1}}, nil},
		"a name that looks like an answer":   {"\x00\x00\x11\x11name x at port 7 at port 65535\n", []Entry{{"x at port 7", 65535}}, nil},
		"a name in UTF-8":                    {"\x00\x00\x11\x11name zoë at port 9\n", []Entry{{"zoë", 9}}, nil},
		"closed without a word":              {"", nil, transport.ErrUnreachable},
		"closed inside the port":             {"\x00\x00", nil, transport.ErrProtocol},
		"cut short inside a line":            {"\x00\x00\x11\x11name a at port 1\nname b at port 4", nil, transport.ErrProtocol},
		"a line that is none":                {"\x00\x00\x11\x11active name <a>\n", nil, transport.ErrProtocol},
		"a port that is none":                {"\x00\x00\x11\x11name a at port 65536\n", nil, transport.ErrProtocol},
		"a node without a name":              {"\x00\x00\x11\x11name  at port 1\n", nil, transport.ErrProtocol},
		"a name of more bytes than there is": {"\x00\x00\x11\x11name " + strings.Repeat("x", 256) + " at port 1\n", nil, transport.ErrProtocol},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Names(t.Context(), answering(t, tt.answer, false))
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("error %v, %s", err, diff)
			}
		})
	}
}

func TestNamesHasALimit(t *testing.T) {
	line := "name " + strings.Repeat("x", 200) + " at port 1\n"
	endless := "\x00\x00\x11\x11" + strings.Repeat(line, maxNames/len(line)+1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = readRequest(c)
		_, _ = c.Write([]byte(endless))
	}()
	if _, err := Names(t.Context(), l.Addr().(*net.TCPAddr).AddrPort()); !errors.Is(err, transport.ErrProtocol) {
		t.Errorf("got error %v", err)
	}
}

func TestLookup(t *testing.T) {
	found := "\x77\x00\xc3\x51\x48\x00\x00\x06\x00\x06\x00\x06gonode\x00\x00"
	tests := map[string]struct {
		answer string
		want   Listing
		err    error
	}{
		"a hidden node as captured":     {found, Listing{Entry{"gonode", 50001}, 6, 6}, nil},
		"with an extra":                 {found[:18] + "\x00\x02hi", Listing{Entry{"gonode", 50001}, 6, 6}, nil},
		"not found":                     {"\x77\x01", Listing{}, transport.ErrNotListed},
		"closed without a word":         {"", Listing{}, transport.ErrUnreachable},
		"something else":                {"\x76\x00\x00\x00\x00\x01", Listing{}, transport.ErrProtocol},
		"cut short before the name":     {found[:11], Listing{}, transport.ErrProtocol},
		"cut short inside the name":     {found[:15], Listing{}, transport.ErrProtocol},
		"another node than asked about": {strings.Replace(found, "gonode", "ganode", 1), Listing{}, transport.ErrProtocol},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Lookup(t.Context(), answering(t, tt.answer, false), "gonode")
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("error %v, %s", err, diff)
			}
		})
	}
	for _, name := range []string{"", strings.Repeat("x", 256)} {
		if _, err := Lookup(t.Context(), refusing(t), name); !errors.Is(err, transport.ErrNotListed) {
			t.Errorf("name of %d bytes: %v", len(name), err)
		}
	}
}

// Every question has the same causes of failure.
var questions = map[string]func(context.Context, netip.AddrPort) error{
	"names":    func(ctx context.Context, at netip.AddrPort) error { _, err := Names(ctx, at); return err },
	"lookup":   func(ctx context.Context, at netip.AddrPort) error { _, err := Lookup(ctx, at, "a"); return err },
	"register": func(ctx context.Context, at netip.AddrPort) error { _, err := Register(ctx, at, reg("a")); return err },
	"keep":     func(ctx context.Context, at netip.AddrPort) error { _, err := Keep(ctx, at, reg("a")); return err },
}

func reg(name string) Registration { return Registration{Name: name, Port: 4711} }

func TestCausesOfFailure(t *testing.T) {
	for name, ask := range questions {
		t.Run(name, func(t *testing.T) {
			if err := ask(t.Context(), refusing(t)); !errors.Is(err, transport.ErrUnreachable) {
				t.Errorf("nothing listens: %v", err)
			}
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
			defer cancel()
			if err := ask(ctx, refusing(t)); !errors.Is(err, transport.ErrTimeout) {
				t.Errorf("no time at all: %v", err)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := ask(ctx, answering(t, "", true)); !errors.Is(err, transport.ErrTimeout) {
				t.Errorf("no answer in time: %v", err)
			}
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			if err := ask(ctx, answering(t, "", true)); !errors.Is(err, context.Canceled) || errors.Is(err, transport.ErrTimeout) {
				t.Errorf("given up: %v", err)
			}
		})
	}
}

func FuzzAnswers(f *testing.F) {
	corpus.Hurry(f)
	f.Add([]byte("\x00\x00\x11\x11name b at port 40001\nname a at port 1\n"))
	f.Add([]byte("\x77\x00\xc3\x51\x48\x00\x00\x06\x00\x06\x00\x06gonode\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseNames(b)
		for _, e := range entries {
			if err != nil || e.Name == "" || len(e.Name) > maxName {
				t.Errorf("%q and %v", e.Name, err)
			}
		}
		if l, err := parsePort2(b); err == nil && len(l.Name) > len(b) {
			t.Errorf("%q", l.Name)
		}
	})
}
