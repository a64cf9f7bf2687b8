package state

import (
	"fmt"
	"io"
)

// Secret is a string that no way of printing shows, such as a cookie.
type Secret struct{ value string }

// NewSecret returns value as a Secret.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// String is the same for every secret.
func (s Secret) String() string { return "(secret)" }

// Format writes String whatever the verb: %d and %x would go round String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String, for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
