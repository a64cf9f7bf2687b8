package ergonode

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(10)
		long := make([]byte, 100)
		if ok, err := q.put(t.Context(), long); !ok || err != nil {
			t.Error("a frame longer than the limit does not pass:", ok, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := q.put(ctx, long); !errors.Is(err, context.Canceled) {
			t.Errorf("put into a full queue: %v", err)
		}
		if !q.push(long) {
			t.Error("a long frame that waits turns away what is pushed")
		}
		if q.push([]byte{1}) {
			t.Error("push beyond the limit")
		}
		waited := make(chan bool)
		go func() {
			ok, _ := q.put(t.Context(), []byte{1}, []byte{2})
			waited <- ok
		}()
		synctest.Wait()
		if got := q.take(nil); len(got) != 2 {
			t.Errorf("took %d frames", len(got))
		}
		if !<-waited {
			t.Error("who waited for room was sent away")
		}
		if got := q.take(nil); len(got) != 2 || got[0][0] != 1 || got[1][0] != 2 {
			t.Errorf("took %v", got)
		}
		if ok, _ := q.put(t.Context(), long); !ok {
			t.Error("the queue was not emptied")
		}
		go func() {
			ok, err := q.put(t.Context(), long)
			waited <- ok || err != nil
		}()
		synctest.Wait()
		q.close()
		if <-waited {
			t.Error("put into a closed queue")
		}
		if !q.push(long) || len(q.take(nil)) != 0 {
			t.Error("a closed queue takes frames")
		}
	})
}
