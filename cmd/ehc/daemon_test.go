package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"ehc/state/spec"
)

// TestARunThatCannotBeginLetsGoOfWhatItHas: the store has one owner at a time.
func TestARunThatCannotBeginLetsGoOfWhatItHas(t *testing.T) {
	d := daemon{data: t.TempDir(), log: io.Discard, env: spec.Env{}}
	for range 2 {
		if err := d.run(t.Context()); err == nil || !strings.Contains(err.Error(), "-config") {
			t.Errorf("without a file: %v", err)
		}
	}
	d.data = filepath.Join(d.data, "a\x00b")
	if err := d.run(t.Context()); err == nil {
		t.Error("ran without a data folder")
	}
}

// TestAControllerThatIsAskedToStopWhileItBeginsHasDoneSo: as at any other moment.
func TestAControllerThatIsAskedToStopWhileItBeginsHasDoneSo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := (daemon{data: t.TempDir(), log: io.Discard, env: spec.Env{}}).run(ctx); err != nil {
		t.Errorf("error = %v, want none", err)
	}
}
