package disk

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// holdEnv makes this test binary a process that opens a store and keeps it
// until its standard input ends.
const holdEnv = "EHC_DISK_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		hold(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func hold(dir string) {
	db, err := Open(context.Background(), dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	if err := db.Close(); err != nil {
		os.Exit(1)
	}
}

// holder starts a process that holds the store in dir until stop is called.
func holder(t *testing.T, dir string) (pid int, stop func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
	return cmd.Process.Pid, stop
}

// openTest opens the store in dir with a table kv more than usual.
func openTest(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := open(context.Background(), dir, testSteps())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func testSteps() []string {
	return append(steps(), "CREATE TABLE kv (k TEXT PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID")
}

func put(key, value string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO kv (k, v) VALUES (?, ?)", key, []byte(value))
		return err
	}
}

func keys(t testing.TB, db *DB) []string {
	t.Helper()
	all := []string{}
	err := db.View(context.Background(), func(tx *Tx) error {
		for row, err := range tx.Query("SELECT k FROM kv ORDER BY k") {
			var k string
			if err == nil {
				err = row.Scan(&k)
			}
			if err != nil {
				return err
			}
			all = append(all, k)
		}
		return nil
	})
	must(t, err)
	return all
}

// snapshot copies the store's files as they are: what a kill would leave.
func snapshot(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"ehc.db", "ehc.db-wal", "ehc.mark"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, name), text, 0o600))
	}
	return to
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
