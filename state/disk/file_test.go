package disk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAFileIsWrittenWholeAndAlone: what a crash has left of an earlier write, nearly done,
// does not stay, nor does a write that fails leave anything.
func TestAFileIsWrittenWholeAndAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	must(t, os.WriteFile(path+".new", []byte(strings.Repeat("longer ", 99)), 0o600))
	must(t, WriteFile(path, []byte("one")))
	must(t, WriteFile(path, []byte("two")))
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	if err := WriteFile(filepath.Join(dir, "folder"), []byte("three")); err == nil {
		t.Error("a folder is overwritten")
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if text, err := os.ReadFile(path); err != nil || string(text) != "two" || len(entries) != 2 {
		t.Errorf("%q, %v, beside %v", text, err, entries)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode() != 0o600 {
		t.Errorf("it is %v, %v", fi.Mode(), err)
	}
}
