package controller

import (
	"context"
	"fmt"

	"ehc/transport"
	"ehc/transport/etf"
)

// ehcRelease is what ehc answers when it is asked for its OTP release.
const ehcRelease = "ehc"

// otpRelease asks a peer which OTP it runs, such as "25". It is also the proof
// that the peer runs calls for us.
func otpRelease(ctx context.Context, c transport.Conn) (string, error) {
	t, err := c.Call(ctx, "erlang", "system_info", etf.Atom("otp_release"))
	if err != nil {
		return "", fmt.Errorf("ask %s for its OTP release: %w", c.Peer().Node, err)
	}
	switch t := t.(type) {
	case string: // another ehc
		return t, nil
	case etf.List:
		if text, ok := charlist(t); ok {
			return text, nil
		}
	}
	return "", fmt.Errorf("ask %s for its OTP release: answer %s", c.Peer().Node, etf.Text(t))
}

// software names what a peer of a release runs.
func software(release string) string {
	if release == ehcRelease {
		return "another ehc"
	}
	return "OTP " + release
}

// charlist is a list of printable ASCII codes as text.
func charlist(l etf.List) (string, bool) {
	b := make([]byte, 0, len(l))
	for _, e := range l {
		n, ok := e.(int)
		if !ok || n < 32 || n > 126 {
			return "", false
		}
		b = append(b, byte(n))
	}
	return string(b), len(b) > 0
}
