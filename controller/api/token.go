package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// The length of a token, in bytes.
const (
	minToken = 16
	maxToken = 512
)

// Token is the secret that a client shows over TCP. Every way of printing it gives
// "(token)".
type Token struct{ secret string }

// NewToken returns secret as a Token. It has 16 to 512 bytes of printable ASCII
// without spaces; an error does not show it.
func NewToken(secret string) (Token, error) {
	if len(secret) < minToken || len(secret) > maxToken {
		return Token{}, fmt.Errorf("API token of %d bytes: want %d to %d", len(secret), minToken, maxToken)
	}
	for _, b := range []byte(secret) {
		if b <= ' ' || b > '~' {
			return Token{}, errors.New("API token: want printable ASCII without spaces")
		}
	}
	return Token{secret}, nil
}

// IsZero says that there is none.
func (t Token) IsZero() bool { return t.secret == "" }

// String is the same for every token.
func (t Token) String() string { return "(token)" }

// Format writes String whatever the verb: %d and %x would go round String.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// MarshalText is String, for JSON and the like.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// is compares in a time that tells nothing of where given differs, or of how long
// the token is.
func (t Token) is(given string) bool {
	want, got := sha256.Sum256([]byte(t.secret)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && !t.IsZero()
}

// Authorized serves h to who shows t, and to nobody else. It also refuses what
// another site's page has a browser send, which may know a token from its user.
func Authorized(h http.Handler, t Token) http.Handler {
	h = ownPage(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || !t.is(strings.TrimSpace(given)) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="ehc"`)
			fail(w, NewProblem(http.StatusUnauthorized, "want the API token: Authorization: Bearer …").Because(ReasonUnauthorized))
			return
		}
		h.ServeHTTP(w, r)
	})
}
