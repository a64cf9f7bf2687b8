package controller

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/transport/etf"
)

// served has the controller's API answer on a socket, whose path it returns.
func (w *world) served() string {
	w.t.Helper()
	dir, err := os.MkdirTemp("", "ehc") // a socket's path is short
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := api.SocketIn(dir).Listen()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, api.Handler(w.ctl, api.Options{})) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return l.Addr().String()
}

// follow opens a stream by hand. It has subscribed when it returns.
func follow(socket, query string, header ...string) (net.Conn, *bufio.Reader, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, nil, err
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	head := "GET /v1/topics?" + query + " HTTP/1.1\r\nHost: ehc\r\n"
	for _, h := range header {
		head += h + "\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"); err != nil {
		return c, nil, err
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("answer %s", res.Status)
	}
	if err != nil {
		return c, nil, err
	}
	return c, bufio.NewReaderSize(res.Body, 512), nil
}

// event reads the next Server-Sent Event, comments passed over.
func event(r *bufio.Reader) (id, kind, data string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", "", "", err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if data != "" {
				return id, kind, data, nil
			}
		}
	}
}

// number is the N of a message; it does not read the rest.
func number(data string) (n int, err error) {
	_, after, _ := strings.Cut(data, `"N":`)
	_, err = fmt.Sscanf(after, "%d", &n)
	return n, err
}

// broadcastNumbers broadcasts maps with a number from first up to last and so much
// text, on a node of the app.
func (w *world) broadcastNumbers(first, last, bytes int) {
	text := strings.Repeat("x", bytes)
	for i := first; i <= last; i++ {
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", etf.Map{{Key: etf.Atom("N"), Value: i}, {Key: etf.Atom("text"), Value: text}})
	}
}

func withApp(t *testing.T) *world {
	w := newWorldOf(t, pubsubText)
	w.peer("a1@127.0.0.1", nil).ShowPubSub(map[string]int{"A.PubSub": 1})
	w.list("a1@127.0.0.1")
	for w.pubsubOf()["a1@127.0.0.1"] != "True PubSubJoined" {
		if err := w.store.Snapshot().Wait(t.Context(), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// A thousand streams at once, one of which takes nothing: all others get every
// message, in order.
func TestAThousandStreamsAndOneStuckOne(t *testing.T) {
	w := withApp(t)
	socket := w.served()
	const readers, messages, size = 1000, 32, 8 << 10
	stuck, _, err := follow(socket, "topic=metrics:*")
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	var reading, subscribed sync.WaitGroup
	subscribed.Add(readers)
	for i := range readers {
		reading.Go(func() {
			c, r, err := follow(socket, "topic="+[]string{"metrics:x", "metrics:*"}[i%2])
			if c != nil {
				defer c.Close()
			}
			subscribed.Done()
			for want := 1; err == nil && want <= messages; want++ {
				var kind, data string
				if _, kind, data, err = event(r); err != nil {
					break
				}
				var n int
				if n, err = number(data); err == nil && (kind != "" || n != want) {
					err = fmt.Errorf("%s %d, want %d", kind, n, want)
				}
			}
			if err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	subscribed.Wait()
	w.broadcastNumbers(1, messages, size)
	reading.Wait()
}

// What a stream loses by being slow it is told; by Last-Event-ID it gets back what is
// still in the window.
func TestASlowStreamIsToldWhatItLostAndMayComeBack(t *testing.T) {
	w := withApp(t)
	socket := w.served()
	c, r, err := follow(socket, "topic=metrics:x")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w.broadcastNumbers(1, 1, 10)
	id, _, data, err := event(r)
	if n, _ := number(data); err != nil || n != 1 {
		t.Fatalf("the first is %s (%v)", data, err)
	}

	// More than its socket and the window hold, while it takes nothing. Those of the
	// quick reader show how far the hub has come.
	quick := w.watch(api.TopicQuery{Topic: "metrics:x"})
	const messages, size = 1500, 16 << 10
	for sent := 1; sent < messages; {
		next := min(sent+200, messages)
		w.broadcastNumbers(sent+1, next, size)
		for sent < next {
			b, err := quick.Next(t.Context())
			if err != nil || b.Lost != (api.Lost{}) {
				t.Fatal(b.Lost, err)
			}
			sent += len(b.Messages)
		}
	}
	lost, got := 0, 1
	for got+lost < messages {
		_, kind, data, err := event(r)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "lost" {
			if n, err := number(data); err != nil || n != got+lost+1 {
				t.Fatalf("after %d, %d of them lost, came %d (%v)", got+lost, lost, n, err)
			}
			got++
			continue
		}
		var gap api.Lost
		if err := json.Unmarshal([]byte(data), &gap); err != nil || gap.Forgotten {
			t.Fatalf("%s: %v", data, err)
		}
		lost += int(gap.Count)
	}
	if lost == 0 {
		t.Error("nothing was lost")
	}

	// It comes back after the first: that is beyond the window.
	_, back, err := follow(socket, "topic=metrics:x", "Last-Event-ID: "+id)
	if err != nil {
		t.Fatal(err)
	}
	if _, kind, data, err := event(back); err != nil || kind != "lost" || data != `{"forgotten":true}` {
		t.Errorf("%s %s, %v", kind, data, err)
	}
	newest := ""
	for n := 0; n < messages; {
		var data string
		if newest, _, data, err = event(back); err != nil {
			t.Fatal(err)
		}
		if n, err = number(data); err != nil {
			t.Fatal(err)
		}
	}
	w.broadcastNumbers(messages+1, messages+2, 10)
	_, last, err := follow(socket, "topic=metrics:x&after=nothing", "Last-Event-ID: "+newest)
	if err != nil {
		t.Fatal(err)
	}
	for want := messages + 1; want <= messages+2; want++ {
		if _, kind, data, err := event(last); err != nil || kind != "" {
			t.Errorf("%s %s, %v", kind, data, err)
		} else if n, _ := number(data); n != want {
			t.Errorf("resumed with %d, want %d", n, want)
		}
	}
}

// A client of Go's goes on after the controller has come back.
func TestAClientResumesByItself(t *testing.T) {
	w := withApp(t)
	dir, err := os.MkdirTemp("", "ehc")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	at := api.SocketIn(dir)
	serving := func() func() {
		l, err := at.Listen()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- api.Serve(ctx, l, api.Handler(w.ctl, api.Options{})) }()
		return func() { stop(); <-done }
	}
	stop := serving()
	client := api.NewClient(at)
	defer client.Close()
	numbers := make(chan int, 10)
	var watching sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	watching.Go(func() {
		_ = client.Watch(ctx, api.TopicQuery{Topic: "metrics:*", After: "the-beginning"}, func(b api.TopicBatch) error {
			for _, m := range b.Messages {
				n, err := number(`{"message":` + string(m.Message) + `}`)
				if err != nil {
					t.Error(err)
				}
				numbers <- n
			}
			return nil
		})
	})
	w.broadcastNumbers(1, 2, 1)
	next := func(want int) {
		t.Helper()
		select {
		case n := <-numbers:
			if n != want {
				t.Fatalf("got %d, want %d", n, want)
			}
		case <-time.After(5 * time.Minute):
			t.Fatalf("%d does not come", want)
		}
	}
	next(1)
	next(2)
	stop()
	w.broadcastNumbers(3, 4, 1) // while it is away
	stop = serving()
	next(3)
	next(4)
	cancel()
	watching.Wait()
	stop()
}
