//go:build !linux

package ergonode

import "net"

// lowMark is for Linux: see lowmark_linux.go. Elsewhere each arrival wakes us.
type lowMark struct{}

func newLowMark(net.Conn) *lowMark { return nil }

func (*lowMark) aim(int) {}

func (*lowMark) late() bool { return false }
