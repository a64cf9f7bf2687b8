package topics_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"ehc/controller/topics"
	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const server = "A.PubSub"

// running is a hub that keeps everything of the server.
func running(t *testing.T) *topics.Hub {
	t.Helper()
	h := topics.New()
	h.Keep(map[string][]string{server: {"*"}})
	run(t, h)
	return h
}

func run(t *testing.T, h *topics.Hub) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

func say(h *topics.Hub, topic string, m etf.Term) {
	h.Heard(transport.PubSubMessage{Server: server, Topic: topic, Node: "a@h", Message: m}, time.Unix(1, 0))
}

// next is what a reader gets next, as text.
func next(t *testing.T, r *topics.Reader) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	b, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return text(b)
}

func text(b topics.Batch) string {
	var parts []string
	if b.Forgotten {
		parts = append(parts, "forgotten")
	}
	if b.Lost > 0 {
		parts = append(parts, fmt.Sprintf("lost %d", b.Lost))
	}
	for _, m := range b.Messages {
		parts = append(parts, strings.TrimSpace(m.Topic+" "+m.Event)+" "+string(m.Data))
	}
	return strings.Join(parts, ", ")
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, topic string
		want           bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"", "", true}, {"*", "", true}, {"*", "a:b", true},
		{"metrics:*", "metrics:", true}, {"metrics:*", "metrics:visits:/blog", true}, {"metrics:*", "metric", false},
		{"*:x", "a:x", true}, {"*:x", "a:xy", false}, {"a*c*e", "abcde", true}, {"a*c*e", "ace", true}, {"a*c*e", "aec", false},
		{"a*a", "a", false}, {"**", "x", true}, {"*b*", "abc", true}, {"*b", "abab", true}, {"?", "a", false},
	} {
		if got := topics.Match(c.pattern, c.topic); got != c.want {
			t.Errorf("%q has %q: %v", c.pattern, c.topic, got)
		}
	}
}

// A pattern made of a topic by putting stars in place of parts has that topic, and
// what it has is what a naive matcher says.
func TestMatchIsWhatANaiveMatcherSays(t *testing.T) {
	var naive func(p, s string) bool
	naive = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return naive(p[1:], s) || s != "" && naive(p, s[1:])
		}
		return s != "" && p[0] == s[0] && naive(p[1:], s[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		topic := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "topic")
		if got := topics.Match(pattern, topic); got != naive(pattern, topic) {
			t.Fatalf("%q has %q: %v", pattern, topic, got)
		}
	})
}

func TestReadersGetWhatIsForThem(t *testing.T) {
	h := topics.New()
	h.Keep(map[string][]string{server: {"metrics:*", "room"}, "B": {"x"}})
	run(t, h)
	all, metrics, room, other := h.Subscribe(server, "*", ""), h.Subscribe(server, "metrics:*", ""), h.Subscribe(server, "room", ""), h.Subscribe("B", "*", "")
	for _, r := range []*topics.Reader{all, metrics, room, other} {
		defer r.Close()
	}
	event, err := pubsub.Event{Topic: "metrics:x", Event: "visit", Payload: etf.Map{{Key: etf.Atom("n"), Value: 1}}}.Term()
	if err != nil {
		t.Fatal(err)
	}
	say(h, "secret", 1)
	say(h, "metrics:x", event)
	say(h, "room", etf.Tuple{etf.Atom("hello"), "\xff"})
	h.Heard(transport.PubSubMessage{Server: "C", Topic: "room", Message: 1}, time.Now())
	h.Heard(transport.PubSubMessage{Server: "B", Topic: "x", Message: 1}, time.Now())
	const visit, hello = `metrics:x visit {"n":1}`, `room ["hello",{"$binary":"/w=="}]`
	got := next(t, all)
	if got == visit {
		got += ", " + next(t, all)
	}
	for got, want := range map[string]string{got: visit + ", " + hello, next(t, metrics): visit, next(t, room): hello, next(t, other): "x 1"} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for topic, want := range map[string]bool{"room": true, "metrics:y": true, "secret": false, "sec*": false, "met*": true} {
		if h.Keeps(server, topic) != want {
			t.Errorf("%s is kept: %v", topic, !want)
		}
	}
	if h.Keeps("C", "*") {
		t.Error("nothing of C is kept")
	}
}

// settled waits until the hub has handed on what it has heard.
func settled(t *testing.T, h *topics.Hub) {
	t.Helper()
	r := h.Subscribe(server, "mark", "")
	defer r.Close()
	say(h, "mark", 0)
	if got := next(t, r); got != "mark 0" {
		t.Fatalf("got %s", got)
	}
}

func ids(t *testing.T, h *topics.Hub, n int) []string {
	t.Helper()
	r := h.Subscribe(server, "t", "")
	defer r.Close()
	for i := range n {
		say(h, "t", i)
	}
	var ids []string
	for len(ids) < n {
		b, err := r.Next(t.Context())
		if err != nil || b.Lost > 0 {
			t.Fatal(b.Lost, err)
		}
		for _, m := range b.Messages {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func TestAReaderResumesWithinTheWindow(t *testing.T) {
	h := running(t)
	id := ids(t, h, 5)
	for after, want := range map[string]string{
		id[4]:                               "u 9",
		id[2]:                               "t 3, t 4",
		"nobody-7":                          "forgotten, t 0, t 1, t 2, t 3, t 4",
		id[0] + "0000":                      "forgotten, t 0, t 1, t 2, t 3, t 4",
		strings.TrimRight(id[0], "1"):       "forgotten, t 0, t 1, t 2, t 3, t 4",
		strings.TrimRight(id[0], "1") + "0": "t 0, t 1, t 2, t 3, t 4",
	} {
		r := h.Subscribe(server, "*", after)
		if after == id[4] {
			say(h, "u", 9)
		}
		if got := next(t, r); got != want && got != want+", u 9" {
			t.Errorf("after %s came %s, want %s", after, got, want)
		}
		r.Close()
	}
	for i := range topics.WindowMessages {
		say(h, "other", i)
	}
	settled(t, h)
	r := h.Subscribe(server, "t", id[2])
	defer r.Close()
	if got := next(t, r); got != "forgotten" {
		t.Errorf("got %s", got)
	}
}

// A reader that takes nothing loses what leaves the window, is told how many of its
// own that were, and gets the rest.
func TestASlowReaderIsToldHowManyItLost(t *testing.T) {
	h := running(t)
	r := h.Subscribe(server, "t", "")
	defer r.Close()
	const lost = 100
	for i := range topics.WindowMessages + lost {
		say(h, "t", i)
		if i%1000 == 0 {
			settled(t, h) // the inbox is bounded as well
		}
	}
	settled(t, h)
	b, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Two marks have pushed out two more.
	first, _ := strconv.Atoi(string(b.Messages[0].Data))
	if int(b.Lost) != first || first < lost || first > lost+5 {
		t.Errorf("lost %d, and the first is %d", b.Lost, first)
	}
	n := len(b.Messages)
	for n < topics.WindowMessages+lost-first {
		b, err := r.Next(t.Context())
		if err != nil || b.Lost > 0 {
			t.Fatal(b.Lost, err)
		}
		n += len(b.Messages)
	}
}

func TestLargeMessagesAndMuchOfThemLeaveTheWindow(t *testing.T) {
	h := running(t)
	r := h.Subscribe(server, "t", "")
	defer r.Close()
	say(h, "t", strings.Repeat("x", topics.MaxMessage))
	settled(t, h)
	if got := next(t, r); got != "lost 1" {
		t.Errorf("of a message that is too large came %.50s", got)
	}
	const each = topics.MaxMessage - 100
	for range topics.WindowBytes/each + 4 {
		say(h, "t", strings.Repeat("x", each))
	}
	settled(t, h)
	b, err := r.Next(t.Context())
	if err != nil || b.Lost < 4 || b.Lost > 6 || len(b.Messages) != 1 {
		t.Errorf("lost %d, and got %d messages (%v)", b.Lost, len(b.Messages), err)
	}
}

// Those whom a huge message is for are told, and it is not kept until they are.
func TestAMessageThatIsHugeOnTheWireIsNotKeptAtAll(t *testing.T) {
	h := running(t)
	r, other := h.Subscribe(server, "t", ""), h.Subscribe(server, "u", "")
	defer r.Close()
	defer other.Close()
	h.Heard(transport.PubSubMessage{Server: server, Topic: "t", Node: "a@h", Message: "x", Size: topics.MaxMessage + 1}, time.Unix(1, 0))
	say(h, "u", "small")
	settled(t, h)
	if got := next(t, r); got != "lost 1" {
		t.Errorf("of a huge message came %.50s", got)
	}
	if got := next(t, other); strings.Contains(got, "lost") {
		t.Errorf("who is for another topic got %s", got)
	}
}

// Nobody runs the hub, so that what waits adds up.
func TestTheInboxIsBoundedInBytes(t *testing.T) {
	h := topics.New()
	h.Keep(map[string][]string{server: {"*"}})
	r := h.Subscribe(server, "t", "")
	defer r.Close()
	for range 100 {
		h.Heard(transport.PubSubMessage{Server: server, Topic: "t", Node: "a@h", Message: "x", Size: topics.MaxMessage}, time.Unix(1, 0))
	}
	run(t, h)
	lost := uint64(0)
	for n := 0; n < 64; {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, lost = n+len(b.Messages), lost+b.Lost
	}
	if lost != 36 {
		t.Errorf("lost %d of 100 messages of 1 MiB, want those beyond 64 MiB", lost)
	}
}

func TestAPatternThatNothingCanMatchIsNotKept(t *testing.T) {
	h := topics.New()
	h.Keep(map[string][]string{server: {"metrics:*", "exact"}})
	for topic, want := range map[string]bool{
		"metrics:x": true, "metrics:*": true, "met*": true, "*": true, "metrics:/blog*": true, "ex*": true, "exact": true,
		"orders:*": false, "orders:1": false, "exact*x": false,
	} {
		if got := h.Keeps(server, topic); got != want {
			t.Errorf("Keeps(%q) = %v, want %v", topic, got, want)
		}
	}
}

// Nobody runs the hub, so that its inbox fills up.
func TestWhatTheHubHasNoRoomForIsLostToAll(t *testing.T) {
	h := topics.New()
	h.Keep(map[string][]string{server: {"*"}})
	r := h.Subscribe(server, "t", "")
	defer r.Close()
	for i := range 5000 {
		say(h, "t", i)
	}
	run(t, h)
	var lost, got uint64
	for lost+got < 5000 {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lost, got = lost+b.Lost, got+uint64(len(b.Messages))
	}
	if lost < 5000-4096 {
		t.Errorf("lost %d, got %d", lost, got)
	}
}

func TestReadersEndWithTheHubAndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := topics.New()
		ctx, stop := context.WithCancel(t.Context())
		go h.Run(ctx)
		r := h.Subscribe(server, "t", "")
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := r.Next(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
		ended := make(chan error)
		go func() {
			_, err := r.Next(t.Context())
			ended <- err
		}()
		stop()
		if err := <-ended; !errors.Is(err, topics.ErrClosed) {
			t.Errorf("error = %v", err)
		}
		r.Close()
		r.Close()
	})
}

// A thousand readers get every message, in order, while one takes nothing at all.
func TestAStuckReaderSlowsDownNobody(t *testing.T) {
	h := running(t)
	const readers, messages = 1000, 500
	stuck := h.Subscribe(server, "*", "")
	defer stuck.Close()
	var reading sync.WaitGroup
	for i := range readers {
		r := h.Subscribe(server, []string{"*", "t", "t*"}[i%3], "")
		reading.Go(func() {
			defer r.Close()
			for want := 0; want < messages; {
				b, err := r.Next(t.Context())
				if err != nil || b.Lost > 0 {
					t.Errorf("reader %d: %d lost, %v", i, b.Lost, err)
					return
				}
				for _, m := range b.Messages {
					if string(m.Data) != strconv.Itoa(want) {
						t.Errorf("reader %d: got %s, want %d", i, m.Data, want)
						return
					}
					want++
				}
			}
		})
	}
	for i := range messages {
		say(h, "t", i)
	}
	reading.Wait()
	if got, want := next(t, stuck), "t 0, t 1"; !strings.HasPrefix(got, want) {
		t.Errorf("the stuck one gets what is there: %.40s", got)
	}
}

func TestSubscribersOfOneFilterShareIt(t *testing.T) {
	h := running(t)
	a, b := h.Subscribe(server, "t", ""), h.Subscribe(server, "t", "")
	a.Close()
	say(h, "t", 1)
	if diff := cmp.Diff("t 1", next(t, b)); diff != "" {
		t.Error(diff)
	}
	b.Close()
}
