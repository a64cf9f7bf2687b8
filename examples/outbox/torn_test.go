package outbox_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"ehc/transport/transporttest/beam"
)

// torn is an Elixir node with the handler and testdata/torn.ex.
func torn(t *testing.T) *beam.Node {
	t.Helper()
	code := beam.CompileElixir(t, "remote_handler.ex", filepath.Join("testdata", "torn.ex"))
	return beam.Start(t, beam.Options{Name: "torn@127.0.0.1", Cookie: "c", Elixir: true, Paths: []string{code}})
}

func TestATornTailIsLeftOutAndComesAgain(t *testing.T) {
	n := torn(t)
	if got := n.Eval(fmt.Sprintf("Torn.cuts(%q)", filepath.Join(t.TempDir(), "j"))); got != "{true, []}" {
		t.Errorf("enough cuts, and those that were counted wrong {at, bytes behind, records, counters}: %s", got)
	}
}

func TestABrokenByteIsToldAndNothingOverwritten(t *testing.T) {
	n := torn(t)
	if got := n.Eval(fmt.Sprintf("Torn.breaks(%q)", filepath.Join(t.TempDir(), "j"))); got != "{true, []}" {
		t.Errorf("enough were told, and those that were not: %s", got)
	}
}

func TestAFailingDiskKeepsTheEventsAtTheSender(t *testing.T) {
	n := torn(t)
	got := n.Eval(fmt.Sprintf("Torn.fails(%q)", filepath.Join(t.TempDir(), "j")))
	const want = "{true, :ok, {:ok, 0}, {:ok, 0}, :ok, true, {:error, :no_journal}}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
