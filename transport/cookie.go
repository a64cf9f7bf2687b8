package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Cookie is the secret that two nodes share. Every way of printing it gives
// its fingerprint; only Reveal gives the secret.
type Cookie struct{ secret string }

// NewCookie returns the cookie with this secret. The bytes are used as they
// are: an Erlang cookie is an atom, of which OTP digests the Latin-1 codes.
func NewCookie(secret string) Cookie { return Cookie{secret} }

// Reveal returns the secret, for a digest.
func (c Cookie) Reveal() string { return c.secret }

// Fingerprint is a short, stable name for the cookie that gives nothing away:
// the first four bytes of a SHA-256, in hex. An empty cookie has "none".
func (c Cookie) Fingerprint() string {
	if c.secret == "" {
		return "none"
	}
	sum := sha256.Sum256([]byte("ehc cookie " + c.secret))
	return hex.EncodeToString(sum[:4])
}

// String is the fingerprint, so that a cookie in a log or an error stays secret.
func (c Cookie) String() string { return "cookie:" + c.Fingerprint() }

// Format writes String whatever the verb: %d and %x would go round String.
func (c Cookie) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalText is String, for JSON and the like.
func (c Cookie) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
