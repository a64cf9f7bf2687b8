package dist_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/dist"
	"ehc/transport/epmd"
	"ehc/transport/transporttest/beam"
)

var (
	localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	cookie    = transport.NewCookie("c")
	wrong     = transport.NewCookie("wrong")
)

func us(name string) dist.Node {
	return dist.Node{Name: name + "@127.0.0.1", Creation: 0x11223344, Flags: dist.Offer(false, true)}
}

func start(t *testing.T, args ...string) *beam.Node {
	t.Helper()
	return beam.Start(t, beam.Options{Name: "x@127.0.0.1", Cookie: "c", Args: args})
}

// open connects to where a node listens, with a deadline for all that follows.
func open(t *testing.T, n *beam.Node) net.Conn {
	t.Helper()
	name, _, _ := strings.Cut(n.Name(), "@")
	l, err := epmd.Lookup(t.Context(), netip.AddrPortFrom(localhost, uint16(n.EPMDPort())), name)
	if err != nil {
		t.Fatal(err)
	}
	return openPort(t, l.Port)
}

func openPort(t *testing.T, port uint16) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", netip.AddrPortFrom(localhost, port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c
}

func TestDialARealNode(t *testing.T) {
	n := start(t)
	creation, err := strconv.ParseUint(n.Eval(`erlang:system_info(creation)`), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	lame := us("lame")
	lame.Flags &^= dist.FlagBigCreation | dist.FlagMandatory25Digest
	tests := map[string]struct {
		options dist.DialOptions
		want    error
	}{
		"with its cookie":          {dist.DialOptions{Local: us("good"), Want: n.Name(), Cookie: cookie}, nil},
		"with another cookie":      {dist.DialOptions{Local: us("bad"), Want: n.Name(), Cookie: wrong}, transport.ErrCookie},
		"without a flag it needs":  {dist.DialOptions{Local: lame, Want: n.Name(), Cookie: cookie}, transport.ErrFlags},
		"for another one":          {dist.DialOptions{Local: us("lost"), Want: "y@127.0.0.1", Cookie: cookie}, transport.ErrName},
		"under its own name":       {dist.DialOptions{Local: us("x"), Want: n.Name(), Cookie: cookie}, transport.ErrYielded},
		"as if it were behind TLS": {dist.DialOptions{Local: us("wide"), Want: n.Name(), Cookie: cookie, Wide: true}, transport.ErrUnreachable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := open(t, n)
			defer c.Close()
			got, err := dist.Dial(c, tt.options)
			if tt.want != nil {
				if !errors.Is(err, tt.want) {
					t.Errorf("got %+v and %v, want %v", got, err, tt.want)
				}
				return
			}
			if err != nil || got.Name != n.Name() || got.Creation != uint32(creation) || got.Flags.Hidden() || dist.Missing(got.Flags) != 0 {
				t.Errorf("got %+v and %v", got, err)
			}
			n.Await(`nodes(hidden)`, "['good@127.0.0.1']")
		})
	}
}

func TestDialTakesOverADeadConnection(t *testing.T) {
	n := start(t)
	old := open(t, n)
	o := dist.DialOptions{Local: us("go"), Want: n.Name(), Cookie: cookie}
	if _, err := dist.Dial(old, o); err != nil {
		t.Fatal(err)
	}
	if _, err := dist.Dial(open(t, n), o); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 4); ; { // ticks at most, then the end
		if _, err := old.Read(buf); err != nil {
			if isTimeout(err) {
				t.Error("the old connection is still up")
			}
			break
		}
	}
	n.Await(`nodes(hidden)`, "['go@127.0.0.1']") // it has lost the old one before it takes the new one up
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// listen makes us a node that n can find.
func listen(t *testing.T, n *beam.Node, name string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	g, err := epmd.Register(t.Context(), netip.AddrPortFrom(localhost, uint16(n.EPMDPort())),
		epmd.Registration{Name: name, Port: l.Addr().(*net.TCPAddr).AddrPort().Port()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return l
}

// dialled lets n dial us. The channel gives what connect_node says.
func dialled(t *testing.T, n *beam.Node, l net.Listener, name string) (net.Conn, <-chan string) {
	t.Helper()
	said := make(chan string, 1)
	go func() {
		v, err := n.TryEval(fmt.Sprintf(`net_kernel:connect_node('%s@127.0.0.1')`, name))
		if err != nil {
			v = err.Error()
		}
		said <- v
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c, said
}

func TestARealNodeDialsUs(t *testing.T) {
	n := start(t)
	knows := func(all ...transport.Cookie) func(string) []transport.Cookie {
		return func(string) []transport.Cookie { return all }
	}
	lame := us("lame")
	lame.Flags &^= dist.FlagBigCreation | dist.FlagMandatory25Digest
	tests := map[string]struct {
		options dist.AcceptOptions
		want    error
		said    string
	}{
		"with our cookie":             {dist.AcceptOptions{Local: us("good"), Cookies: knows(cookie)}, nil, "true"},
		"with one of our two cookies": {dist.AcceptOptions{Local: us("both"), Cookies: knows(wrong, cookie)}, nil, "true"},
		"with another cookie":         {dist.AcceptOptions{Local: us("bad"), Cookies: knows(wrong)}, transport.ErrCookie, "false"},
		"though we lack a flag":       {dist.AcceptOptions{Local: lame, Cookies: knows(cookie)}, transport.ErrUnreachable, "false"},
		"for another one":             {dist.AcceptOptions{Local: us("other"), Cookies: knows(cookie)}, transport.ErrUnreachable, "false"},
		"and is sent away": {dist.AcceptOptions{Local: us("away"), Cookies: knows(cookie),
			Decide: func(string) dist.Decision { return dist.Nok }}, dist.ErrNok, "false"},
		"and believes it is not connected": {dist.AcceptOptions{Local: us("again"), Cookies: knows(cookie),
			Decide: func(string) dist.Decision { return dist.Alive }}, nil, "true"},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			name, _, _ := strings.Cut(tt.options.Local.Name, "@")
			n := n
			switch name {
			case "other":
				name = "wanted"
			case "away": // it waits for our own dial as long as for a handshake
				n = start(t, "-kernel", "net_setuptime", "1")
			}
			c, said := dialled(t, n, listen(t, n, name), name)
			got, which, err := dist.Accept(c, tt.options)
			if tt.want != nil {
				if c.Close(); !errors.Is(err, tt.want) {
					t.Errorf("got %+v and %v, want %v", got, err, tt.want)
				}
			} else if err != nil || got.Name != n.Name() || got.Flags.Hidden() || which != cookie {
				t.Errorf("got %+v, %s and %v", got, which, err)
			}
			if s := <-said; s != tt.said {
				t.Errorf("connect_node says %s, want %s", s, tt.said)
			}
		})
	}
}

// While the node's dial to us waits for our status, we dial the node. The greater
// name's dial wins on both sides.
func TestSimultaneousDials(t *testing.T) {
	for name, want := range map[string]error{"a": transport.ErrYielded, "z": nil} {
		t.Run(name+" and x", func(t *testing.T) {
			n := start(t)
			theirs, said := dialled(t, n, listen(t, n, name), name)
			ours := open(t, n)
			_, err := dist.Dial(ours, dist.DialOptions{Local: us(name), Want: n.Name(), Cookie: cookie})
			if !errors.Is(err, want) {
				t.Errorf("dial: %v, want %v", err, want)
			}
			ours.SetDeadline(time.Now().Add(5 * time.Minute))
			_, _, err = dist.Accept(theirs, dist.AcceptOptions{Local: us(name),
				Cookies: func(string) []transport.Cookie { return []transport.Cookie{cookie} },
				Decide:  func(node string) dist.Decision { return dist.Collide(us(name).Name, node) }})
			if (err == nil) != (want != nil) {
				t.Errorf("accept: %v", err)
			}
			if s := <-said; s != "true" {
				t.Errorf("connect_node says %s", s)
			}
		})
	}
}

// The ssl of a node answers a plain handshake with an alert.
func TestPlainDialOfARealTLSPort(t *testing.T) {
	n := start(t)
	port, err := strconv.ParseUint(n.Eval(`{ok, _} = application:ensure_all_started(ssl),
		Me = self(),
		spawn(fun() ->
			Chain = #{root => [], intermediates => [], peer => []},
			#{server_config := Conf} = public_key:pkix_test_data(#{server_chain => Chain, client_chain => Chain}),
			{ok, L} = ssl:listen(0, [{ip, {127,0,0,1}} | Conf]),
			{ok, {_, Port}} = ssl:sockname(L),
			Me ! {port, Port},
			{ok, S} = ssl:transport_accept(L),
			ssl:handshake(S)
		end),
		receive {port, P} -> P end`), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dist.Dial(openPort(t, uint16(port)), dist.DialOptions{Local: us("go"), Want: n.Name(), Cookie: cookie})
	if !errors.Is(err, transport.ErrTLS) {
		t.Errorf("got error %v", err)
	}
}
