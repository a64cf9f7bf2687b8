package disk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stall makes the committer run a function, on a full volume too, that waits
// for goOn.
func stall(t *testing.T, db *DB) (goOn func()) {
	t.Helper()
	started, release := make(chan bool), make(chan bool)
	start := sync.OnceFunc(func() { close(started) })
	done := make(chan error, 1)
	go func() {
		done <- db.Free(context.Background(), func(*Tx) error {
			start()
			<-release
			return nil
		})
	}()
	<-started
	return func() {
		close(release)
		must(t, <-done)
	}
}

// queued waits until n writes are queued.
func queued(db *DB, n int) {
	for len(db.committer.queue) < n {
		time.Sleep(time.Millisecond)
	}
}

func TestWritesThatComeTogetherShareOneCommit(t *testing.T) {
	ctx := context.Background()
	db := openTest(t, t.TempDir())
	goOn := stall(t, db)
	sorry := errors.New("sorry")
	var wg sync.WaitGroup
	outcome := make([]error, 50)
	for i := range outcome {
		wg.Go(func() {
			outcome[i] = db.Write(ctx, func(tx *Tx) error {
				if err := put(fmt.Sprintf("k%02d", i), "v")(tx); err != nil {
					return err
				}
				switch i % 5 {
				case 1:
					return sorry
				case 2:
					return put(fmt.Sprintf("k%02d", i), "again")(tx) // breaks the key
				}
				return nil
			})
		})
	}
	queued(db, len(outcome))
	before := db.committer.commits
	goOn()
	wg.Wait()
	if n := db.committer.commits - before; n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
	want := []string{}
	for i, err := range outcome {
		switch {
		case i%5 == 1 && !errors.Is(err, sorry), i%5 == 2 && err == nil, i%5 != 1 && i%5 != 2 && err != nil:
			t.Errorf("write %d: %v", i, err)
		case i%5 != 1 && i%5 != 2:
			want = append(want, fmt.Sprintf("k%02d", i))
		}
	}
	if diff := cmp.Diff(want, keys(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestAWriteWhoseCallerHasGoneDoesNotRun(t *testing.T) {
	db := openTest(t, t.TempDir())
	goOn := stall(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Write(ctx, put("gone", "1")) }()
	queued(db, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	goOn()
	must(t, db.Write(context.Background(), put("stays", "1")))
	if diff := cmp.Diff([]string{"stays"}, keys(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestAWriteThatRunsIsWaitedFor(t *testing.T) {
	db := openTest(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	err := db.Write(ctx, func(tx *Tx) error {
		cancel()
		return put("a", "1")(tx)
	})
	must(t, err)
	if diff := cmp.Diff([]string{"a"}, keys(t, db)); diff != "" {
		t.Error(diff)
	}
	if err := db.Write(ctx, put("b", "1")); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestCloseAnswersWhatIsQueued(t *testing.T) {
	ctx := context.Background()
	db := openTest(t, t.TempDir())
	goOn := stall(t, db)
	outcome := make(chan error, 3)
	for i := range cap(outcome) {
		go func() { outcome <- db.Write(ctx, put(fmt.Sprint(i), "v")) }()
	}
	queued(db, cap(outcome))
	inView, closed := make(chan bool), make(chan error, 1)
	viewed := make(chan error, 1)
	go func() {
		viewed <- db.View(ctx, func(tx *Tx) error {
			close(inView)
			<-db.committer.stopped // the View outlives the committer
			var n int
			return tx.QueryRow("SELECT count(*) FROM kv").Scan(&n)
		})
	}()
	<-inView
	go func() { closed <- db.Close() }()
	<-db.committer.stopping
	goOn()
	must(t, <-viewed)
	must(t, <-closed)
	// The stalled write's group may have taken some of them in.
	for range cap(outcome) {
		if err := <-outcome; err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want nil or ErrClosed", err)
		}
	}
	if err := db.Write(ctx, put("late", "1")); !errors.Is(err, ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if err := db.View(ctx, func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("view after close: %v", err)
	}
}

func TestAViewSeesOneMomentAndChangesNothing(t *testing.T) {
	ctx := context.Background()
	db := openTest(t, t.TempDir())
	must(t, db.Write(ctx, put("a", "1")))
	err := db.View(ctx, func(tx *Tx) error {
		count := func() (n int) {
			must(t, tx.QueryRow("SELECT count(*) FROM kv").Scan(&n))
			return n
		}
		before := count()
		must(t, db.Write(ctx, put("b", "1")))
		if after := count(); before != 1 || after != 1 {
			t.Errorf("%d rows, then %d, want 1 and 1", before, after)
		}
		if err := put("c", "1")(tx); err == nil {
			t.Error("a View has written")
		}
		var none int
		if err := tx.QueryRow("SELECT 1 FROM kv WHERE k = ?", "z").Scan(&none); !errors.Is(err, ErrNoRow) {
			t.Errorf("got %v, want ErrNoRow", err)
		}
		if err := tx.QueryRow("SELECT k FROM kv").Scan(&none); !errors.Is(err, ErrDamaged) {
			t.Errorf("a text in a number: %v, want ErrDamaged", err)
		}
		return nil
	})
	must(t, err)
	if diff := cmp.Diff([]string{"a", "b"}, keys(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestAViewEndsWithItsContext(t *testing.T) {
	db := openTest(t, t.TempDir())
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
	for range 2 * readers { // and leaves the connection in order
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		err := db.View(ctx, func(tx *Tx) error { return tx.QueryRow(endless).Scan(new(int)) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		cancel()
	}
	keys(t, db)
}

// TestWhatIsKeptIsWrittenOnce: functions of one group count up a value that each
// finds as the one before has left it, but for those that fail.
func TestWhatIsKeptIsWrittenOnce(t *testing.T) {
	db := openTest(t, t.TempDir())
	goOn := stall(t, db)
	sorry := errors.New("sorry")
	written := 0
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			err := db.Write(context.Background(), func(tx *Tx) error {
				n := 0
				if v, ok := tx.Kept("n"); ok {
					n = v.(int)
				}
				tx.Keep("n", n+1, func(tx *Tx, _, last any) error {
					written++
					return put("n", fmt.Sprint(last))(tx)
				})
				if i%3 == 0 {
					return sorry
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, sorry) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	queued(db, 30)
	goOn()
	wg.Wait()
	var n []byte
	must(t, db.View(context.Background(), func(tx *Tx) error {
		if _, ok := tx.Kept("n"); ok {
			t.Error("a View has what was kept")
		}
		return tx.QueryRow("SELECT v FROM kv WHERE k = 'n'").Scan(&n)
	}))
	if string(n) != "20" || written != 1 {
		t.Errorf("%s is written, %d times, want 20, once", n, written)
	}
}

// TestWhatHasNoWriteIsKeptForLaterCommits: unless the function or its group comes to
// nothing.
func TestWhatHasNoWriteIsKeptForLaterCommits(t *testing.T) {
	ctx := context.Background()
	db := openTest(t, t.TempDir())
	sorry := errors.New("sorry")
	keep := func(n string, err error) func(*Tx) error {
		return func(tx *Tx) error {
			must(t, put(n, "1")(tx))
			tx.Keep("n", n, nil)
			return err
		}
	}
	must(t, db.Write(ctx, keep("a", nil)))
	for _, write := range []func(context.Context, func(*Tx) error) error{db.Write, db.WriteWhole} {
		if err := write(ctx, keep("b", sorry)); !errors.Is(err, sorry) {
			t.Errorf("got %v", err)
		}
	}
	must(t, db.Write(ctx, func(tx *Tx) error {
		if n, _ := tx.Kept("n"); n != "a" {
			t.Errorf("%v is kept, want a", n)
		}
		return nil
	}))
}

func TestAWholeWriteThatFailsHalfwayFailsItsGroup(t *testing.T) {
	ctx := context.Background()
	db := openTest(t, t.TempDir())
	sorry := errors.New("sorry")
	if err := db.WriteWhole(ctx, func(*Tx) error { return sorry }); err != sorry { //nolint:errorlint // as it is
		t.Errorf("one that has changed nothing: %v", err)
	}
	must(t, db.WriteWhole(ctx, put("a", "1")))
	errs := make(chan error, 3)
	running, release := make(chan bool), make(chan bool)
	go func() {
		errs <- db.Write(ctx, func(tx *Tx) error {
			close(running)
			<-release
			return put("b", "1")(tx)
		})
	}()
	<-running
	go func() { errs <- db.Write(ctx, put("d", "1")) }()
	queued(db, 1)
	go func() {
		errs <- db.WriteWhole(ctx, func(tx *Tx) error {
			must(t, put("c", "1")(tx))
			return sorry
		})
	}()
	queued(db, 2)
	close(release)
	for range 3 {
		if err := <-errs; !errors.Is(err, sorry) {
			t.Errorf("got %v", err)
		}
	}
	if diff := cmp.Diff([]string{"a"}, keys(t, db)); diff != "" {
		t.Error(diff)
	}
}
