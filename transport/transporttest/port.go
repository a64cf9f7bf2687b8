package transporttest

import (
	"testing"

	"ehc/transport/transporttest/port"
)

// FreePort returns a port where nobody listens and that is the test's own until it
// ends: see port.Free.
func FreePort(t testing.TB) uint16 {
	t.Helper()
	return port.Free(t)
}
