package epmd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/transport"
	"ehc/transport/transporttest/port"
)

func TestKeeperRegistersAgainAfterALoss(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	at := loopback(port.Free(t)) // nobody else may listen there in between
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, new(Server), l)
	k, err := Keep(t.Context(), at, reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	k.after = 10 * time.Millisecond
	creation := k.Creation()

	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan error, 1000)
	ran := make(chan error, 1)
	go func() { ran <- k.Run(ctx, func(err error) { heard <- err }) }()

	stop()
	if err := <-heard; !errors.Is(err, ErrLost) {
		t.Errorf("first heard %v", err)
	}
	if err := <-heard; !errors.Is(err, transport.ErrUnreachable) {
		t.Errorf("then heard %v", err)
	}
	again, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	s := new(Server)
	stop = serve(t, s, again)
	for err := range heard {
		if err == nil {
			break
		}
	}
	if e := s.Entries(); len(e) != 1 || e[0] != Entry(reg("a")) || k.Creation() != creation {
		t.Errorf("listed %v, creation %d, was %d", e, k.Creation(), creation)
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	eventually(t, func() bool { return len(s.Entries()) == 0 })
	stop()
}

func TestCloseEndsRun(t *testing.T) {
	s := new(Server)
	k, err := Keep(t.Context(), serving(t, s), reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- k.Run(t.Context(), func(err error) { t.Errorf("heard %v", err) }) }()
	if err := errors.Join(k.Close(), k.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ran; err != nil {
		t.Errorf("run: %v", err)
	}
	eventually(t, func() bool { return len(s.Entries()) == 0 })
}

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

func TestJoinServesWhereNobodyDoes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	number := port.Free(t)
	first, err := Join(t.Context(), number, reg("first"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Join(t.Context(), number, reg("second"))
	if err != nil {
		t.Fatal(err)
	}
	if !first.Serving() || second.Serving() {
		t.Errorf("serving: first %t, second %t", first.Serving(), second.Serving())
	}
	for _, at := range []netip.AddrPort{loopback(number), netip.AddrPortFrom(netip.IPv6Loopback(), number)} {
		if names, err := Names(t.Context(), at); err != nil || len(names) != 2 {
			t.Errorf("%s lists %v, %v", at, names, err)
		}
	}
	second.keeper.after = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ran, back := make(chan error, 1), make(chan struct{})
	go func() {
		ran <- second.Run(ctx, func(err error) {
			if err == nil {
				close(back)
			}
		})
	}()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	<-back // the second serves now
	if !second.Serving() {
		t.Error("listed by whom?")
	}
	names, err := Names(t.Context(), loopback(number))
	if err != nil || len(names) != 1 || names[0] != Entry(reg("second")) {
		t.Errorf("lists %v, %v", names, err)
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	if _, err := Names(t.Context(), loopback(number)); !errors.Is(err, transport.ErrUnreachable) {
		t.Errorf("after all have gone: %v", err)
	}
}

func TestJoinTakesTheDaemonThatRuns(t *testing.T) {
	s := new(Server)
	at := serving(t, s)
	j, err := Join(t.Context(), at.Port(), reg("a"))
	if err != nil {
		t.Fatal(err)
	}
	if j.Serving() || len(s.Entries()) != 1 {
		t.Errorf("serving %t, listed %v", j.Serving(), s.Entries())
	}
	_, err = Join(t.Context(), at.Port(), reg("a"))
	var taken *TakenError
	if !errors.As(err, &taken) {
		t.Errorf("the same name again: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestRegisterReadsTheAnswer(t *testing.T) {
	tests := map[string]struct {
		answer   string
		creation uint32
		err      error
	}{
		"of an EPMD of today":         {"\x76\x00\x6b\x04\x6c\x5b", 0x6b046c5b, nil},
		"of an EPMD before OTP 23":    {"\x79\x00\x00\x02", 2, nil},
		"of something else":           {"\x77\x00\x00\x02", 0, transport.ErrProtocol},
		"closed without a word":       {"", 0, transport.ErrUnreachable},
		"closed inside the creation":  {"\x76\x00\x6b\x04", 0, transport.ErrUnreachable},
		"closed inside the short one": {"\x79\x00\x6b", 0, transport.ErrUnreachable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, err := Register(t.Context(), answering(t, tt.answer, tt.err == nil), reg("a"))
			if !errors.Is(err, tt.err) {
				t.Fatalf("got error %v", err)
			}
			if err == nil {
				if g.Creation() != tt.creation {
					t.Errorf("creation %#x", g.Creation())
				}
				_ = g.Close()
			}
		})
	}
	for _, r := range []Registration{{Name: "", Port: 1}, {Name: "a", Port: 0}} {
		if _, err := Register(t.Context(), refusing(t), r); err == nil || errors.Is(err, transport.ErrUnreachable) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if _, err := Join(t.Context(), 0, reg("a")); err == nil {
		t.Error("joined at port 0")
	}
}
