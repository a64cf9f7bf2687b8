package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// streamOf is a handler whose only route is a stream that feed feeds.
func streamOf(feed func(context.Context, *SSE) error) http.Handler {
	r := newStream("GET /", nil, func(*http.Request) (func(context.Context, *SSE) error, error) { return feed, nil })
	return Options{}.guarded(r, slots{brief: make(chan struct{}, 1), streaming: make(chan struct{}, 1)})
}

// idle feeds a stream on which nothing happens.
func idle(ctx context.Context, s *SSE) error {
	for {
		select {
		case <-time.After(heartbeat):
			if err := s.Beat(); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// open asks for a stream by hand.
func open(t *testing.T, a Address) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("unix", a.path)
	if err != nil {
		t.Fatal(err)
	}
	return c, streamOn(t, c)
}

func streamOn(t *testing.T, c net.Conn) *bufio.Reader {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: ehc\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%s %s", res.Status, kind)
	}
	return bufio.NewReader(res.Body)
}

func TestAStreamIsWrittenAsTheStandardHasIt(t *testing.T) {
	a := serve(t, streamOf(func(_ context.Context, s *SSE) error {
		if err := s.Send(
			Message{ID: "7", Event: "topic", Data: []byte("one\ntwo\r\nthree\rfour")},
			Message{ID: "8\nevent: forged", Event: "a\rdata: forged", Data: []byte("{}\n")},
			Message{},
		); err != nil {
			return err
		}
		return s.Beat()
	}))
	_, r := open(t, a)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	want := "retry: 2000\n\n" +
		"id: 7\nevent: topic\ndata: one\ndata: two\ndata: three\ndata: four\n\n" +
		"id: 8\nevent: a\ndata: {}\ndata: \n\n" +
		"data: \n\n" +
		":\n\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("stream -want +got:\n%s", diff)
	}
}

func TestManyMessagesAtOnceComeInOrder(t *testing.T) {
	const n = 1000
	a := serve(t, streamOf(func(_ context.Context, s *SSE) error {
		var messages []Message
		for i := range n {
			messages = append(messages, Message{Data: []byte(strings.Repeat("x", i))})
		}
		return s.Send(messages...)
	}))
	_, r := open(t, a)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.TrimSuffix(string(got), "\n\n"), "\n\n")[1:]
	if len(parts) != n {
		t.Fatalf("%d messages, want %d", len(parts), n)
	}
	for i, p := range parts {
		if p != "data: "+strings.Repeat("x", i) {
			t.Fatalf("message %d is %q", i, p)
		}
	}
}

// late is past every deadline that a server has for what is brief.
const late = 2 * (briefLimit + writeLimit)

func TestAStreamOutlivesTheDeadlinesOfItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := piped(t, streamOf(func(_ context.Context, s *SSE) error {
			time.Sleep(late)
			return s.Send(Message{Data: []byte("late")})
		}))
		got, err := io.ReadAll(streamOn(t, p.dial()))
		if err != nil || !strings.Contains(string(got), "data: late") {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// A request that waits is neither cut off nor told that its time is over, with a body
// or without one.
func TestAWaitOutlivesTheDeadlinesOfItsServer(t *testing.T) {
	wait := func(ctx context.Context) (Count, error) {
		select {
		case <-time.After(late):
			return Count{Key: "late"}, nil
		case <-ctx.Done():
			return Count{}, ctx.Err()
		}
	}
	for method, r := range map[string]route{
		http.MethodGet:  newRead("GET /", nil, func(ctx context.Context, _ url.Values) (Count, error) { return wait(ctx) }).waits(),
		http.MethodPost: newWrite("POST /", func(ctx context.Context, _ Count) (Count, error) { return wait(ctx) }).waits(),
	} {
		synctest.Test(t, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("/", Options{}.guarded(r, newSlots()))
			mux.Handle("/v1/version", http.NotFoundHandler()) // by which the client sees that it lives
			c := piped(t, mux).client(t)
			got, err := askTimes[Count](t.Context(), c, 1, method, "/", Count{})
			if err != nil || got.Key != "late" {
				t.Errorf("%s: %+v, %v", method, got, err)
			}
		})
	}
}

func TestAStuckReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		p := piped(t, streamOf(func(_ context.Context, s *SSE) error {
			for {
				if err := s.Send(Message{Data: make([]byte, 1<<16)}); err != nil {
					ended <- err
					return err
				}
			}
		}))
		streamOn(t, p.dial()) // and reads nothing
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error = %v, want the deadline's", err)
		}
	})
}

func TestAStreamEndsWithItsReader(t *testing.T) {
	ended := make(chan error, 1)
	a := serve(t, streamOf(func(ctx context.Context, s *SSE) error {
		ended <- idle(ctx, s)
		return nil
	}))
	c, _ := open(t, a)
	_ = c.Close()
	if err := <-ended; err != nil {
		t.Errorf("error = %v", err)
	}
}

// TestAThousandReadersAndOneThatIsStuck sends to a thousand readers at once, each
// over a connection of its own. One of them reads nothing; the others have all of it
// while that one still holds its stream.
func TestAThousandReadersAndOneThatIsStuck(t *testing.T) {
	const readers, messages = 1000, 30
	begin := make(chan struct{})
	var ended atomic.Int64
	r := newStream("GET /", nil, func(*http.Request) (func(context.Context, *SSE) error, error) {
		return func(ctx context.Context, s *SSE) error {
			select {
			case <-begin:
			case <-ctx.Done():
				return nil
			}
			for range messages {
				if err := s.Send(Message{Data: bytes.Repeat([]byte("x"), 8<<10)}); err != nil {
					return err
				}
			}
			ended.Add(1)
			return nil
		}, nil
	})
	a := serve(t, Options{}.guarded(r, newSlots()))
	open(t, a) // and reads no more
	streams := make([]*bufio.Reader, readers)
	for i := range streams {
		_, streams[i] = open(t, a)
	}
	close(begin)
	var group sync.WaitGroup
	for i, s := range streams {
		group.Go(func() {
			got, err := io.ReadAll(s)
			if err != nil || bytes.Count(got, []byte("data: ")) != messages {
				t.Errorf("reader %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	group.Wait()
	if n := ended.Load(); n != readers {
		t.Errorf("%d streams were sent whole, want all but the stuck one's", n)
	}
}

func TestWhatIsTooMuchAtOnceIsRefused(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	r := newRead("GET /", nil, func(context.Context, url.Values) (Count, error) {
		began <- struct{}{}
		<-end
		return Count{}, nil
	})
	a := serve(t, Options{}.guarded(r, slots{brief: make(chan struct{}, 1)}))
	c := clientOf(t, a)
	first := make(chan error, 1)
	go func() {
		_, err := ask[Count](context.Background(), c, http.MethodGet, "/", nil)
		first <- err
	}()
	<-began
	res, text := send(t, c, http.MethodGet, "/", "", "")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(string(text), ReasonOverloaded) {
		t.Errorf("a second at once: %s %s", res.Status, text)
	}
	close(end)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestAStreamHasNoBodyForHEAD(t *testing.T) {
	a := serve(t, streamOf(func(ctx context.Context, s *SSE) error { return idle(ctx, s) }))
	res, body := send(t, clientOf(t, a), http.MethodHead, "/", "", "")
	if res.StatusCode != 200 || len(body) > 0 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s %s", res.Status, body)
	}
}
