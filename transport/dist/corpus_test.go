package dist

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
)

// The two tests here hold real nodes to the challenges that FuzzAccept and FuzzDial
// ask, so that what they say is a seed which gets all the way in. -update keeps it.

func release(n *beam.Node) string {
	return "otp" + n.Eval("list_to_integer(erlang:system_info(otp_release))")
}

func local(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

func TestWhatRealNodesSayWhenTheyDial(t *testing.T) {
	e := beam.EPMD(t)
	explicit := []string{"-kernel", "dist_auto_connect", "never"} // no dial that is not asked for here
	visible := beam.Start(t, beam.Options{Name: "x@127.0.0.1", Cookie: "abc", EPMDPort: e, Args: explicit})
	hidden := beam.Start(t, beam.Options{Name: "h@127.0.0.1", Cookie: "abc", EPMDPort: e, Args: explicit, Hidden: true})
	foreign := beam.Start(t, beam.Options{Name: "f@127.0.0.1", Cookie: "other", EPMDPort: e, Args: explicit})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g, err := epmd.Register(t.Context(), local(e), epmd.Registration{Name: "a", Port: l.Addr().(*net.TCPAddr).AddrPort().Port()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, c := range []struct {
		name     string
		node     *beam.Node
		decision Decision
		want     error
	}{
		{"visible", visible, OK, nil},
		{"visible-simultaneous", visible, OKSimultaneous, nil},
		{"visible-alive", visible, Alive, nil},
		{"hidden", hidden, OK, nil},
		{"another-cookie", foreign, OK, transport.ErrCookie},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := make(chan string, 1)
			go func() {
				v, err := c.node.TryEval("net_kernel:connect_node('a@127.0.0.1')")
				said <- fmt.Sprint(v, err)
			}()
			nc, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(time.Minute))
			ear := corpus.Listen(nc)
			got, _, err := accept(ear, AcceptOptions{Local: otpNode, Cookies: cookies(abc), Decide: always(c.decision)}, otpAsked)
			if !errors.Is(err, c.want) || err == nil && got.Name != c.node.Name() {
				t.Errorf("%+v, %v", got, err)
			}
			_ = nc.Close()
			<-said // true only if it was quicker than our close
			corpus.Keep(t, "FuzzAccept", release(c.node)+"-"+c.name, ear.Heard(), false, byte(c.decision))
			c.node.Await("nodes(connected)", "[]")
		})
	}
}

func TestWhatRealNodesSayWhenTheyAreDialled(t *testing.T) {
	n := beam.Start(t, beam.Options{Name: otpNode.Name, Cookie: "abc"})
	at, err := epmd.Lookup(t.Context(), local(n.EPMDPort()), "a")
	if err != nil {
		t.Fatal(err)
	}
	lame, own := goNode, goNode
	lame.Flags &^= FlagBigCreation | FlagMandatory25Digest
	own.Name = otpNode.Name
	for _, c := range []struct {
		name   string
		local  Node
		cookie transport.Cookie
		want   error
	}{
		{"ok", goNode, abc, nil}, // and that one stays up
		{"alive", goNode, abc, nil},
		{"another-cookie", Node{Name: "b@127.0.0.1", Creation: 1, Flags: goNode.Flags}, transport.NewCookie("other"), transport.ErrCookie},
		{"not-allowed", lame, abc, transport.ErrFlags},
		{"nok", own, abc, transport.ErrYielded},
	} {
		nc := dialTCP(t, at.Port) // until all is over: a connection that ends is not alive
		t.Run(c.name, func(t *testing.T) {
			ear := corpus.Listen(nc)
			_, err := dial(ear, DialOptions{Local: c.local, Want: otpNode.Name, Cookie: c.cookie}, goAsked)
			if !errors.Is(err, c.want) {
				t.Error(err)
			}
			corpus.Keep(t, "FuzzDial", release(n)+"-"+c.name, ear.Heard(), false)
			if err == nil {
				n.Await("nodes(connected)", "['go@127.0.0.1']")
			}
		})
	}
}

func dialTCP(t *testing.T, port uint16) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", local(int(port)).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	return nc
}
