package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/spf13/cobra"
)

// cookieBytes is how many random bytes a cookie has. In URL-safe base64 with
// padding, as Elixir's Base.url_encode64 writes it, they make 56 characters; an
// Erlang cookie may have 255.
const cookieBytes = 40

func newCookieCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "cookie",
		Short: "Make a new cookie",
		Long: `Print a new cookie of 40 random bytes. It is kept nowhere: give it to every app and
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
	return base64.URLEncoding.EncodeToString(b)
}
