package discover

import (
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/controller/discover/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// patience is the timeout of questions that are answered, silence of those
// that are not.
const (
	patience = 5 * time.Minute
	silence  = 200 * time.Millisecond
)

// serve starts a DNS server that ends with the test.
func serve(t *testing.T) *zone.Server {
	t.Helper()
	s, err := zone.Serve(t.Context(), loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

// many returns n different addresses that begin like base, which must end in
// zero bytes.
func many(base string, n int) []netip.Addr {
	out := make([]netip.Addr, n)
	at := netip.MustParseAddr(base)
	for i := range out {
		at = at.Next()
		out[i] = at
	}
	return out
}
