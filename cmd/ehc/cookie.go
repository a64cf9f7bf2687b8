package main

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"

	"github.com/spf13/cobra"
)

// cookieBytes is how many random bytes a cookie has. In base32, as mix release writes
// its own, they make 56 letters and digits; an Erlang cookie may have 255. Other
// alphabets have the minus sign: elixir --cookie and erl -setcookie take a cookie that
// begins with one for a flag, and use another without a word.
const cookieBytes = 35

func newCookieCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "cookie",
		Short: "Make a new cookie",
		Long: `Print a new cookie of 35 random bytes. It is kept nowhere: give it to every app and
to ehc as a secret, never in a file that is committed.`,
		Example:     "  ehc cookie\n  fly secrets set RELEASE_COOKIE=\"$(ehc cookie)\" --stage -a my-app",
		Annotations: after(plainCodes, "  cookie = env(\"RELEASE_COOKIE\"), in the node block of cluster.hcl"),
		Args:        noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.out, newCookie())
			return err
		},
	}
}

func newCookie() string {
	b := make([]byte, cookieBytes)
	_, _ = rand.Read(b) // crypto/rand ends the process rather than fail
	return base32.StdEncoding.EncodeToString(b)
}
