package main

import (
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
