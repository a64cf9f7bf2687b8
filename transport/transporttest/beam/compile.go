package beam

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// CompileErlang compiles Erlang source text, the module of this name, into a
// folder of the test's, which is for Options.Paths.
func CompileErlang(t testing.TB, module, text string) (dir string) {
	t.Helper()
	Need(t)
	dir = t.TempDir()
	source := filepath.Join(dir, module+".erl")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("erlc", "-o", dir, source).CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", module, err, out)
	}
	return dir
}

// CompileElixir compiles Elixir source files into a folder of the test's, which
// is for Options.Paths.
func CompileElixir(t testing.TB, sources ...string) (dir string) {
	t.Helper()
	Need(t)
	dir = t.TempDir()
	cmd := exec.Command("elixirc", append([]string{"-o", dir}, sources...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile %v: %v\n%s", sources, err, out)
	}
	return dir
}
