package disk

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestEveryCommitIsHeardOf(t *testing.T) {
	db := openTest(t, t.TempDir())
	var mu sync.Mutex
	var heard []Commit
	db.OnCommit(func(c Commit) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, c)
	})
	must(t, db.Write(t.Context(), put("k", "v")))
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 1 || heard[0].Writes != 1 || heard[0].Err != nil || heard[0].Took <= 0 {
		t.Errorf("heard %+v, want one commit of one write, and none for the ping", heard)
	}
	size, err := db.Size()
	if err != nil || size.Store <= 0 || size.Available <= 0 || size.Volume < size.Available {
		t.Errorf("size %+v, %v", size, err)
	}
}

func TestAPingFailsWhileTheCommitterIsStuck(t *testing.T) {
	db := openTest(t, t.TempDir())
	let, in := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- db.Write(context.Background(), func(*Tx) error {
			close(in)
			<-let
			return nil
		})
	}()
	<-in
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := db.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping: %v, want a deadline", err)
	}
	close(let)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
