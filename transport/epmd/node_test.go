package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"ehc/transport"
	"ehc/transport/epmd"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/port"
)

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func TestRealDaemon(t *testing.T) {
	beam.Need(t)
	at := netip.AddrPortFrom(localhost, uint16(beam.EPMD(t)))
	if names, err := epmd.Names(t.Context(), at); err != nil || len(names) != 0 {
		t.Fatalf("lists %v, %v", names, err)
	}
	g, err := epmd.Register(t.Context(), at, epmd.Registration{Name: "gonode", Port: 50001})
	if err != nil {
		t.Fatal(err)
	}
	if g.Creation() == 0 {
		t.Error("creation 0")
	}
	if l, err := epmd.Lookup(t.Context(), at, "gonode"); err != nil || l.Port != 50001 || l.Highest != 6 || l.Lowest != 5 {
		t.Errorf("listed as %+v, %v", l, err)
	}
	if names, err := epmd.Names(t.Context(), at); err != nil || len(names) != 1 || names[0].Name != "gonode" {
		t.Errorf("lists %v, %v", names, err)
	}
	var taken *epmd.TakenError
	if _, err := epmd.Register(t.Context(), at, epmd.Registration{Name: "gonode", Port: 2}); !errors.As(err, &taken) {
		t.Errorf("the same name again: %v", err)
	}
	if _, err := epmd.Lookup(t.Context(), at, "gonode@127.0.0.1"); !errors.Is(err, transport.ErrNotListed) {
		t.Errorf("a full name: %v", err)
	}
	_ = g.Close()
	again, err := epmd.Register(t.Context(), at, epmd.Registration{Name: "gonode2", Port: 50001})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
}

// The programs of OTP have to find nothing that is not as in their own EPMD.
func TestRealNodesUseOurServer(t *testing.T) {
	beam.Need(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, served := new(epmd.Server), make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-served })
	at := l.Addr().(*net.TCPAddr).AddrPort()

	one := beam.Start(t, beam.Options{Name: "one@127.0.0.1", Cookie: "c", EPMDPort: int(at.Port())})
	two := beam.Start(t, beam.Options{Name: "two@127.0.0.1", Cookie: "c", EPMDPort: int(at.Port()), Hidden: true})
	if err := s.Add(epmd.Entry{Name: "added", Port: 4711}); err != nil {
		t.Fatal(err)
	}

	names, err := epmd.Names(t.Context(), at)
	if err != nil || len(names) != 3 {
		t.Fatalf("lists %v, %v", names, err)
	}
	want := fmt.Sprintf(`[{"added",4711},{"one",%d},{"two",%d}]`, names[1].Port, names[2].Port)
	if got := one.Eval(`{ok, L} = net_adm:names({127,0,0,1}), lists:sort(L)`); strings.Join(strings.Fields(got), "") != want {
		t.Errorf("net_adm:names says %s, want %s", got, want)
	}
	if got := one.Eval(`erl_epmd:port_please("added", {127,0,0,1})`); got != "{port,4711,5}" && got != "{port,4711,6}" {
		t.Errorf("port_please says %s", got)
	}
	if got := one.Eval(`net_adm:ping('two@127.0.0.1')`); got != "pong" {
		t.Errorf("ping says %s", got)
	}
	listing, err := epmd.Lookup(t.Context(), at, "two")
	if err != nil || listing.Highest < 6 {
		t.Errorf("listed as %+v, %v", listing, err)
	}
	creation, err := strconv.ParseUint(two.Eval(`erlang:system_info(creation)`), 10, 32)
	if err != nil || creation < 4 {
		t.Errorf("creation %d, %v", creation, err)
	}
	two.Kill()
	for len(s.Entries()) > 2 { // its end reaches us as the end of its connection
		if _, err := epmd.Lookup(t.Context(), at, "two"); errors.Is(err, transport.ErrNotListed) {
			break
		}
	}
	two.Restart()
	if got := two.Eval(`erlang:system_info(creation)`); got == strconv.FormatUint(creation, 10) {
		t.Errorf("two incarnations of creation %s", got)
	}
}

// A Go node that has joined is found by a real one through whoever serves.
func TestRealNodeFindsAJoinedOne(t *testing.T) {
	beam.Need(t)
	at := port.Free(t)
	j, err := epmd.Join(t.Context(), at, epmd.Registration{Name: "go", Port: 50001})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	node := beam.Start(t, beam.Options{Name: "real@127.0.0.1", Cookie: "c", EPMDPort: int(at)})
	if got := node.Eval(`erl_epmd:port_please("go", {127,0,0,1})`); got != "{port,50001,5}" && got != "{port,50001,6}" {
		t.Errorf("port_please says %s", got)
	}
	if names, err := epmd.Names(t.Context(), netip.AddrPortFrom(netip.IPv6Loopback(), at)); err != nil || len(names) != 2 {
		t.Errorf("lists %v, %v", names, err)
	}
}
