package main

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"ehc/state"
)

func TestTheTelemetryListenerHoldsOnlySoManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := listenForTelemetry(t.Context(), state.TelemetrySpec{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		dial := func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
		}
		var first net.Conn
		for range maxTelemetryConns {
			dial()
			if first, err = l.Accept(); err != nil {
				t.Fatal(err)
			}
			one := first
			t.Cleanup(func() { _ = one.Close() })
		}
		dial()
		accepted := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err == nil {
				err = c.Close()
			}
			accepted <- err
		}()
		synctest.Wait() // Accept waits for room, or has returned
		select {
		case <-accepted:
			t.Fatalf("accepted more than %d connections", maxTelemetryConns)
		default:
		}
		_ = first.Close()
		if err := <-accepted; err != nil {
			t.Errorf("once there is room: %v", err)
		}
	})
}
