package disk

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestATornTailIsCutAndTold spoils the log of six commits. The mark knows of all of
// them: what is lost was acknowledged, as it never is after a crash.
func TestATornTailIsCutAndTold(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openTest(t, dir)
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		must(t, db.Write(ctx, put(k, strings.Repeat(k, 3000))))
	}
	for name, c := range map[string]struct {
		spoil func(log []byte) []byte
		cut   bool
		lost  int // commits
		after int // commit records behind the damage, its own commit's, too
	}{
		"nothing":                   {func(log []byte) []byte { return log }, false, 0, 0},
		"37 bytes are missing":      {func(log []byte) []byte { return log[:len(log)-37] }, true, 1, 0},
		"a bit of the last flipped": {flip("ffff"), true, 1, 1},
		"a bit in the middle":       {flip("dddd"), true, 3, 3},
		"no header":                 {func(log []byte) []byte { return log[:20] }, false, -1, 0},
		"half a page more": {func(log []byte) []byte {
			return append(log, log[walHeader:walHeader+2000]...)
		}, true, 0, 0},
		"what an older log has left": {func(log []byte) []byte {
			return append(log, bytes.Repeat([]byte{7}, 5000)...)
		}, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := snapshot(t, dir)
			log := filepath.Join(spoilt, "ehc.db-wal")
			text, err := os.ReadFile(log)
			must(t, err)
			must(t, os.WriteFile(log, c.spoil(text), 0o600))
			cut, err := survey(log)
			must(t, err)
			if cut.Bytes > 0 != c.cut || cut.Commits != c.after {
				t.Errorf("cut %+v, want any: %v, with %d commits", cut, c.cut, c.after)
			}
			if c.lost < 0 {
				return // the tables are gone with it
			}
			short := openTest(t, spoilt)
			if got := keys(t, short); len(got) != 6-c.lost || short.Lost() != uint64(c.lost) {
				t.Errorf("%v is there, %d commits are said to be lost", got, short.Lost())
			}
			if short.Cut() != cut {
				t.Errorf("Open says %+v was cut", short.Cut())
			}
			must(t, short.Close())
			if cut := openTest(t, spoilt).Cut(); cut.Bytes != 0 {
				t.Errorf("opened again: %+v was cut", cut)
			}
		})
	}
}

// flip changes a bit where there first is this text.
func flip(text string) func([]byte) []byte {
	return func(log []byte) []byte {
		log[bytes.Index(log, []byte(text))] ^= 1
		return log
	}
}

// FuzzSurvey: whatever the log is, it is read to its end, and no more is cut than
// there is.
func FuzzSurvey(f *testing.F) {
	dir := f.TempDir()
	db, err := open(context.Background(), dir, testSteps())
	must(f, err)
	must(f, db.Write(context.Background(), put("a", "1")))
	text, err := os.ReadFile(filepath.Join(dir, "ehc.db-wal"))
	must(f, err)
	must(f, db.Close())
	f.Add(text)
	f.Add(text[:len(text)-37])
	f.Add(text[:walHeader])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		cut, err := surveyLog(bytes.NewReader(text))
		if err != nil || cut.Bytes < 0 || cut.Bytes > int64(len(text)) || int64(cut.Commits) > cut.Bytes/512 {
			t.Errorf("cut %+v of %d bytes, %v", cut, len(text), err)
		}
	})
}

// FuzzMark: a mark counts what was written, or nothing.
func FuzzMark(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "mark")
		must(t, os.WriteFile(path, text, 0o600))
		m, _, err := openMark(path)
		must(t, err)
		m.write(7)
		must(t, m.close())
		m, n, err := openMark(path)
		must(t, err)
		must(t, m.close())
		if n != 7 {
			t.Errorf("it counts %d", n)
		}
	})
}
