package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// queue is a Backend that takes events, all or none of a request, but for those of
// the type "bad", and of the type "full" once it has most.
type queue struct {
	Backend
	mu   sync.Mutex
	ids  []string
	most int
	asks int
}

func (q *queue) Emit(_ context.Context, r EmitRequest) (Emitted, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asks++
	var out Emitted
	for i, e := range r.Events {
		switch {
		case e.Type == "bad":
			return Emitted{}, NewProblem(http.StatusBadRequest, "no good")
		case q.most > 0 && len(q.ids)+i >= q.most:
			return Emitted{}, NewProblem(http.StatusTooManyRequests, "full").Because(ReasonFull)
		}
		out.IDs, out.Outcomes = append(out.IDs, e.ID), append(out.Outcomes, OutcomeBuffered)
	}
	q.ids = append(q.ids, out.IDs...)
	return out, nil
}

func (q *queue) taken() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]string(nil), q.ids...)
}

func TestLinesAreTakenInOrderUpToTheFirstThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		lines  []string
		most   int
		want   []string // ids taken
		status int      // of the last line; 0: all are taken
		line   int
	}{
		"all":                  {lines: []string{`{"id":"1","type":"x"}`, ``, `{"id":"2","type":"x"}`}, want: []string{"1", "2"}},
		"none":                 {},
		"one that is bad":      {lines: []string{`{"id":"1","type":"x"}`, `{"id":"2","type":"bad"}`, `{"id":"3","type":"x"}`}, want: []string{"1"}, status: 400, line: 2},
		"one that is no JSON":  {lines: []string{`{"id":"1","type":"x"}`, `{"id":"2"`, `{"id":"3","type":"x"}`}, want: []string{"1"}, status: 400, line: 2},
		"one too many":         {lines: []string{`{"id":"1","type":"x"}`, `{"id":"2","type":"x"}`}, most: 1, want: []string{"1"}, status: 429, line: 2},
		"one that is too long": {lines: []string{`{"id":"1","type":"x"}`, strings.Repeat(" ", maxLine+1)}, want: []string{"1"}, status: 413, line: 2},
	} {
		q := &queue{most: c.most}
		a := serve(t, Handler(q, Options{}))
		res, body := send(t, clientOf(t, a), "POST", "/v1/events", linesType, strings.Join(c.lines, "\n"))
		if res.StatusCode != 200 {
			t.Errorf("%s: %s %s", name, res.Status, body)
			continue
		}
		var ids []string
		var last EmittedLine
		for line := range strings.Lines(string(body)) {
			last = EmittedLine{}
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatal(err)
			}
			if last.Problem == nil {
				ids = append(ids, last.ID)
			}
		}
		if diff := cmp.Diff(c.want, ids); diff != "" {
			t.Errorf("%s: -want +answered:\n%s", name, diff)
		}
		if diff := cmp.Diff(c.want, q.taken()); diff != "" {
			t.Errorf("%s: -want +taken:\n%s", name, diff)
		}
		if c.status == 0 != (last.Problem == nil) || last.Problem != nil && (last.Problem.Status != c.status || last.Line != c.line) {
			t.Errorf("%s: the last line is %+v", name, last)
		}
	}
}

// Each line is answered before the next is sent, and after the last the answer ends.
func TestALineIsAnsweredAtOnce(t *testing.T) {
	q := &queue{}
	a := serve(t, Handler(q, Options{}))
	c, err := net.Dial("unix", a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chunk := func(text string) {
		if _, err := fmt.Fprintf(c, "%x\r\n%s\r\n", len(text), text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(c, "POST /v1/events HTTP/1.1\r\nHost: ehc\r\nContent-Type: "+linesType+"\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	chunk(`{"id":"0","type":"x"}` + "\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(res.Body)
	for i := range 100 {
		line, err := answers.ReadString('\n')
		if want := fmt.Sprintf(`"id":"%d"`, i); err != nil || !strings.Contains(line, want) {
			t.Fatalf("answer %q, %v; want %s", line, err, want)
		}
		chunk(fmt.Sprintf(`{"id":"%d","type":"x"}`, i+1) + "\n")
	}
	chunk("")
	rest, err := io.ReadAll(answers)
	if err != nil || !strings.Contains(string(rest), `"id":"100"`) {
		t.Errorf("the end: %q, %v", rest, err)
	}
}

func TestABodyThatStandsStillIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := piped(t, Handler(&queue{}, Options{})).dial()
		defer c.Close()
		const line = `{"id":"1","type":"x"}` + "\n"
		if _, err := fmt.Fprintf(c, "POST /v1/events HTTP/1.1\r\nHost: ehc\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n",
			linesType, len(line), line); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		answers := json.NewDecoder(res.Body)
		var first, last EmittedLine
		if err := answers.Decode(&first); err != nil || first.ID != "1" {
			t.Errorf("%+v, %v", first, err)
		}
		if err := answers.Decode(&last); err != nil || last.Problem == nil || last.Problem.Status != http.StatusRequestTimeout {
			t.Errorf("%+v, %v; want 408", last, err)
		}
	})
}

// breaking loses the answers to the first few requests, after they have been
// carried out.
func breaking(h http.Handler, times int) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		lose := times > 0
		times--
		mu.Unlock()
		if lose {
			h.ServeHTTP(&nowhere{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})
}

type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

func TestAnEmitIsRepeatedUnderTheSameIDs(t *testing.T) {
	q := &queue{}
	c := clientOf(t, serve(t, breaking(Handler(q, Options{}), 2)))
	events := []Event{{Type: "x"}, {ID: "mine", Type: "x"}}
	done, err := c.Emit(t.Context(), EmitRequest{Events: events})
	if err != nil {
		t.Fatal(err)
	}
	ids := q.taken()
	if len(ids) != 6 || ids[0] == "" || ids[0] != ids[2] || ids[0] != ids[4] || ids[1] != "mine" || !cmp.Equal(done.IDs, ids[:2]) {
		t.Errorf("asked for %q, answered %q", ids, done.IDs)
	}
	if events[0].ID != "" {
		t.Error("the caller's events are changed")
	}
}

func TestWhatMayHaveHappenedIsNotAskedForAgain(t *testing.T) {
	var asked atomic.Int64
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	c := clientOf(t, serve(t, h))
	if _, err := c.Apply(t.Context(), ApplyRequest{}); err == nil || asked.Load() != 1 {
		t.Errorf("an apply: %v, asked %d times", err, asked.Load())
	}
	asked.Store(0)
	if _, err := c.Status(t.Context()); err == nil || asked.Load() < tries {
		t.Errorf("a read: %v, asked %d times", err, asked.Load())
	}
}

func TestARefusalIsNotAskedForAgain(t *testing.T) {
	q := &queue{most: 1}
	c := clientOf(t, serve(t, Handler(q, Options{})))
	_, err := c.Emit(t.Context(), EmitRequest{Events: []Event{{Type: "x"}, {Type: "x"}}})
	if !errors.Is(err, ErrFull) || q.asks != 1 {
		t.Errorf("error = %v, asked %d times", err, q.asks)
	}
}

func TestMintedIDsSortByTimeAndDiffer(t *testing.T) {
	at := time.UnixMilli(1469918176385) // the ULID specification's own example
	id := NewEventID(at)
	if len(id) != 26 || !strings.HasPrefix(id, "01ARYZ6S41") {
		t.Errorf("id %q", id)
	}
	if NewEventID(at) == id {
		t.Error("twice the same")
	}
	if later := NewEventID(at.Add(time.Millisecond)); later <= id {
		t.Errorf("%q is not after %q", later, id)
	}
}

func TestAStreamOfEventsIsAnsweredInOrder(t *testing.T) {
	const n = 3000
	q := &queue{}
	c := clientOf(t, serve(t, Handler(q, Options{})))
	var want, got []string
	events := func(yield func(Event) bool) {
		for i := range n {
			e := Event{ID: fmt.Sprint(i), Type: "x"}
			want = append(want, e.ID)
			if !yield(e) {
				return
			}
		}
	}
	err := c.EmitStream(t.Context(), events, EmitRequest{}, func(a EmittedLine) error {
		if a.Line != len(got)+1 || a.Outcome != OutcomeBuffered {
			t.Errorf("answer %+v after %d", a, len(got))
		}
		got = append(got, a.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answered:\n%s", diff)
	}
	if diff := cmp.Diff(want, q.taken()); diff != "" {
		t.Errorf("taken:\n%s", diff)
	}
}

func TestAStreamOfEventsEndsWithTheFirstThatIsNotTaken(t *testing.T) {
	endless := func(yield func(Event) bool) {
		for yield(Event{Type: "x"}) {
		}
	}
	q := &queue{most: 5}
	c := clientOf(t, serve(t, Handler(q, Options{})))
	answered := 0
	err := c.EmitStream(t.Context(), endless, EmitRequest{}, func(a EmittedLine) error { answered++; return nil })
	if !errors.Is(err, ErrFull) || answered != 5 || len(q.taken()) != 5 {
		t.Errorf("error = %v after %d answers, %d taken", err, answered, len(q.taken()))
	}
	stop := errors.New("enough")
	c = clientOf(t, serve(t, Handler(&queue{}, Options{})))
	if err := c.EmitStream(t.Context(), endless, EmitRequest{}, func(EmittedLine) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error = %v, want the caller's", err)
	}
}
