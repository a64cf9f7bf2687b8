package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"ehc/controller/api"
	"ehc/transport"
)

// remoteApp is the remote app in Elixir.
//
//go:embed remote.ex
var remoteApp string

func newDevCommand(s *streams) *cobra.Command {
	var once bool
	peer := &choice{word: "ehc", of: []string{"ehc", "beam"}}
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole cluster on this machine and show the main job",
		Long: `Dev starts a DNS server, a controller (node A) and a remote app (node B) on
loopback, and shows what ehc is for: plan, apply, events delivered; node B
killed, events buffered; node B back, the backlog drained in order. Then it stays
up for you to try commands in a second terminal, until Ctrl-C.

Node B is a second ehc that plays the remote app, so that no Erlang is needed;
with -peer beam it is a real Elixir node.`,
		Example: `  ehc dev                stay up afterwards
  ehc dev -once          end with 0 only if every count agrees
  ehc dev -peer beam     with a real Elixir node`,
		Annotations: after(`  0   everything came out as it should
  1   it did not, told on standard error`, `  ehc help plan`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return dev(c.Context(), s, peer.word, once) },
	}
	c.Flags().BoolVar(&once, "once", false, "end after the story")
	c.Flags().Var(peer, "peer", "what node B is")
	c.AddCommand(newDevPeerCommand(s))
	return c
}

// dev tells the story in a folder of its own, which goes with it.
func dev(ctx context.Context, s *streams, kind string, once bool) (err error) {
	dir, err := os.MkdirTemp("", "ehc-dev-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w, err := newWorld(ctx, dir, kind)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	client := api.NewClient(w.address())
	defer client.Close()
	t := &story{world: w, out: s.out, client: client}
	if err := t.tell(ctx); err != nil {
		if ctx.Err() != nil { // interrupted: what fails then is no fault
			return ctx.Err()
		}
		return errors.Join(err, w.showLog(s.err))
	}
	if once {
		return nil
	}
	t.say("\nThe cluster stays up until Ctrl-C. In a second terminal:\n")
	for _, line := range w.hints() {
		t.say("  %s", line)
	}
	<-ctx.Done()
	return nil
}

// hints are lines to type in a second terminal.
func (w *world) hints() []string {
	lines := []string{"export " + w.apiEnv()}
	if !isOnPath(w.exe) {
		lines = append(lines, "alias ehc="+quoted(w.exe))
	}
	return append(lines,
		"ehc status",
		"ehc emit increment_visit page_id=/blog delta=1 -wait delivered",
		"ehc count visits:/blog",
		"ehc outbox list",
		"ehc plan -config "+quoted(w.config())+"    # edit the file first",
	)
}

// isOnPath says whether a shell that is told "ehc" runs exe: it does not after go
// run, nor where only make build has been.
func isOnPath(exe string) bool {
	found, err := exec.LookPath("ehc")
	if err != nil {
		return false
	}
	a, aerr := os.Stat(found)
	b, berr := os.Stat(exe)
	return aerr == nil && berr == nil && os.SameFile(a, b)
}

// newDevPeerCommand plays the remote app. It is for `ehc dev` alone.
func newDevPeerCommand(s *streams) *cobra.Command {
	var p devPeer
	c := &cobra.Command{
		Use:    "peer",
		Short:  "Play the remote app",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			secret, _ := s.env(devCookie)
			p.cookie, p.ready = transport.NewCookie(secret), s.out
			return p.run(c.Context())
		},
	}
	c.Flags().StringVar(&p.name, "name", "", "the node's `NAME`")
	c.Flags().Uint16Var(&p.epmdPort, "epmd-port", 0, "EPMD's `PORT`")
	c.Flags().StringVar(&p.journal, "journal", "", "the `FILE` to keep events in")
	return c
}
