// Package two_apps_test runs the example of this folder as a person would.
package two_apps_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/port"
)

// runLimit is far past what a slow machine needs.
const runLimit = 5 * time.Minute

// minted are ids that ehc has made.
var minted = regexp.MustCompile(`"01[0-9A-Z]{24}"`)

// TestTheStory runs the one command, which ends with 0 only if every count agrees,
// and holds what it prints against the README.
func TestTheStory(t *testing.T) {
	beam.Need(t)
	ehc := filepath.Join(t.TempDir(), "ehc")
	if out, err := exec.Command("go", "build", "-race", "-o", ehc, "../../cmd/ehc").CombinedOutput(); err != nil {
		t.Fatalf("build ehc: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./run")
	cmd.Env = append(os.Environ(), "EHC="+ehc, fmt.Sprintf("EPMD_PORT=%d", port.Free(t)))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it clears up then
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("./run: %v\n%s%s", err, out, &complaints)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "```\n$ ./run\n")
	shown, _, found := strings.Cut(shown, "```\n")
	if !found {
		t.Fatal("the README shows no output of ./run")
	}
	alike := func(s string) string { return minted.ReplaceAllString(s, `"01…"`) }
	if strings.Contains(string(out), "{:buffered, ") && strings.Count(string(out), ":buffered") != strings.Count(shown, ":buffered") {
		t.Logf("the machine was so busy that more was buffered than the README shows:\n%s", out)
		return
	}
	if diff := cmp.Diff(alike(shown), alike(string(out))); diff != "" {
		t.Errorf("README -, output +:\n%s", diff)
	}
}

// TestTheRealPubSubNeedsNoAppFile: only mix makes one. The stand-in is compiled as
// elixirc would compile the real one.
func TestTheRealPubSubNeedsNoAppFile(t *testing.T) {
	beam.Need(t)
	ebin := beam.CompileElixir(t, "../../transport/transporttest/beam/phoenix_pubsub.ex")
	run := func(ebin string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "elixir", "-r", "pubsub.exs", "-e",
			"{:ok, _} = Supervisor.start_link([{Phoenix.PubSub, name: My.PubSub}], strategy: :one_for_one)\n"+
				":ok = Phoenix.PubSub.subscribe(My.PubSub, \"x\")\n:ok = Phoenix.PubSub.broadcast(My.PubSub, \"x\", :heard)\n"+
				"receive do heard -> IO.inspect(heard) end")
		cmd.Env = append(os.Environ(), "PHOENIX_PUBSUB_EBIN="+ebin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(ebin); err != nil || !strings.HasSuffix(out, ":heard\n") {
		t.Errorf("with compiled modules: %v\n%s", err, out)
	}
	nothing := t.TempDir()
	if out, err := run(nothing); err == nil || !strings.Contains(out, "no compiled Phoenix.PubSub in "+nothing) {
		t.Errorf("with a folder of nothing: %v\n%s", err, out)
	}
}
