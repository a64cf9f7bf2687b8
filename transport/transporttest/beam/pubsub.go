package beam

import (
	_ "embed" // the sources
	"os"
	"path/filepath"
	"testing"
)

var (
	//go:embed phoenix_pubsub.ex
	standIn []byte
	//go:embed pubsub_app.ex
	pubsubApp []byte
)

// PubSub gives the folders, for Options.Paths of an Elixir node, of an app that uses
// Phoenix.PubSub (see pubsub_app.ex): the real one if PHOENIX_PUBSUB_EBIN names the
// folder of its compiled modules, else a stand-in.
func PubSub(t testing.TB) (paths []string) {
	t.Helper()
	Need(t)
	if ebin := os.Getenv("PHOENIX_PUBSUB_EBIN"); ebin != "" {
		if _, err := os.Stat(filepath.Join(ebin, "Elixir.Phoenix.PubSub.beam")); err != nil {
			t.Fatalf("PHOENIX_PUBSUB_EBIN names no compiled phoenix_pubsub: %v", err)
		}
		paths = append(paths, ebin)
	} else {
		paths = append(paths, CompileElixir(t, write(t, "phoenix_pubsub.ex", standIn)))
	}
	return append(paths, CompileElixir(t, write(t, "pubsub_app.ex", pubsubApp)))
}

func write(t testing.TB, name string, text []byte) string {
	t.Helper()
	source := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(source, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return source
}
