package box_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTheVolumeIsLostInABox runs ehc beside Litestream and takes its volume away:
// after deliveries of which the bucket may not know yet, which then come again and
// count once; and with a backlog that the bucket has.
func TestTheVolumeIsLostInABox(t *testing.T) {
	program := os.Getenv("EHC_LITESTREAM")
	if program == "" {
		t.Skip("runs Litestream: make test-litestream")
	}
	w := newWorld(t)
	w.litestream = program
	fleet := []*machine{w.app(phoenix, "yyz", first), w.app(phoenix, "lhr", first)}
	other := w.app(horizon, "yyz", first)
	all := append(names(first, fleet), other.name(first))
	w.start()
	w.converges(all)
	w.emit(50)
	w.sync()
	w.delivered()

	w.step("the volume is lost right after deliveries")
	w.emit(50)
	w.delivered()
	w.lose()
	w.start()
	w.converges(all)
	w.delivered()

	w.step("the volume is lost with a backlog")
	w.apart(true, append(fleet, other))
	w.emit(50)
	w.sync()
	w.lose()
	w.apart(false, append(fleet, other))
	w.start()
	w.converges(all)
	w.delivered()
	w.emit(10)
	w.delivered()
}

// sync returns when the bucket has what the volume has.
func (w *world) sync() {
	w.t.Helper()
	for range 2 { // one that is under way may have begun before the last commit
		out, err := exec.CommandContext(w.t.Context(), w.litestream, "sync", "-wait", "-timeout", "120",
			"-socket", filepath.Join(w.data(), "litestream.sock"), filepath.Join(w.data(), "ehc.db")).CombinedOutput()
		if err != nil {
			w.t.Fatalf("sync: %v\n%s", err, out)
		}
	}
}

// lose kills ehc and all that runs beside it, and empties the volume.
func (w *world) lose() {
	w.t.Helper()
	w.kill()
	if err := os.RemoveAll(w.data()); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Mkdir(w.data(), 0o700); err != nil {
		w.t.Fatal(err)
	}
}
