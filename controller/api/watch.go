package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Moment says which facts an answer has.
//
//	Index      moves with the facts that a reviewed plan depends on: what is
//	           listed, connected, in force. "ehc apply -check-index" goes by it.
//	Revision   moves with everything that status, plan and outbox show: also how
//	           dials and drains fare. Watch this to show how things stand.
//
// A queue's length moves the Revision when it leaves zero or reaches it and
// coarsely in between. Two moments of one run with the same Revision are one;
// another run has other revisions, and begins its Index anew.
type Moment struct {
	Index    uint64 `json:"index"`
	Revision uint64 `json:"revision,omitempty"`
}

// Before says whether a reader that has seen m has something new to see at now: a
// field that m has, and is not 0, is another.
func (m Moment) Before(now Moment) bool {
	return m == Moment{} || m.Index != 0 && m.Index != now.Index || m.Revision != 0 && m.Revision != now.Revision
}

// WatchBackend lets readers wait.
type WatchBackend interface {
	// Await returns once seen is Before the present moment, or ctx ends, with the
	// moment that is then.
	Await(ctx context.Context, seen Moment) Moment
}

// Watch is a read that blocks until there is something new: until the controller's
// moment differs from Seen, or for Wait. The zero Watch does not wait.
type Watch struct {
	Seen Moment        // what the last answer had; the fields that are to be watched
	Wait time.Duration // up to ten minutes
}

const (
	indexHeader    = "X-Ehc-Index"
	revisionHeader = "X-Ehc-Revision"
	defaultWait    = 30 * time.Second
)

// watchParameters are what a route that can be watched takes beside its own.
func watchParameters(own ...string) []string { return append(own, "index", "revision", "wait") }

// newWatched is newRead for what can be watched: with ?index= or ?revision= it
// answers once that has changed, or after ?wait=. parse reads the other parameters,
// before that. f is given the moment at which the answer is begun, which the headers
// have too: a reader that watches from there on misses nothing of what changes
// meanwhile.
func newWatched[Q, A any](
	b WatchBackend, pattern string, query []string,
	parse func(url.Values) (Q, error), f func(context.Context, Q, Moment) (A, error),
) route {
	return route{pattern: pattern, query: watchParameters(query...), pace: waiting, serve: func(w http.ResponseWriter, r *http.Request) error {
		q, err := parse(r.URL.Query())
		if err != nil {
			return err
		}
		watch, err := watchIn(r.URL.Query())
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), watch.Wait)
		now := b.Await(ctx, watch.Seen)
		cancel()
		a, err := f(r.Context(), q, now)
		if err != nil {
			return err
		}
		w.Header().Set(indexHeader, strconv.FormatUint(now.Index, 10))
		w.Header().Set(revisionHeader, strconv.FormatUint(now.Revision, 10))
		return writeJSON(w, http.StatusOK, jsonType, a)
	}}
}

// lateBy is by how much the answer to a read that waits may come later than the end of
// the wait before its connection counts as broken.
const lateBy = 30 * time.Second

// askWatched is ask for what newWatched answers.
func askWatched[A any](ctx context.Context, c *Client, path string, w Watch) (A, error) {
	if w.Seen == (Moment{}) {
		return ask[A](ctx, c, http.MethodGet, path, nil)
	}
	return askWaiting[A](ctx, c, path, w.Wait)
}

// askWaiting is ask for a read that waits. A controller that hangs is an ErrLate; if it
// lives, only the connection is broken, and another one may do.
func askWaiting[A any](ctx context.Context, c *Client, path string, wait time.Duration) (A, error) {
	limit, cancel := context.WithTimeout(ctx, wait+lateBy)
	defer cancel()
	a, err := ask[A](limit, c, http.MethodGet, path, nil)
	if err != nil && limit.Err() != nil && ctx.Err() == nil {
		return a, fmt.Errorf("ask %s: the connection is silent: no answer within %s", c.at, wait+lateBy)
	}
	return a, err
}

// asIs parses nothing.
func asIs(v url.Values) (url.Values, error) { return v, nil }

// into adds what watchIn reads.
func (w Watch) into(v url.Values) url.Values {
	if w.Seen.Index > 0 {
		v.Set("index", strconv.FormatUint(w.Seen.Index, 10))
	}
	if w.Seen.Revision > 0 {
		v.Set("revision", strconv.FormatUint(w.Seen.Revision, 10))
	}
	if w.Seen != (Moment{}) {
		v.Set("wait", w.Wait.String())
	}
	return v
}

func watchIn(v url.Values) (w Watch, err error) {
	if w.Seen.Index, err = numberIn(v, "index"); err != nil {
		return w, err
	}
	if w.Seen.Revision, err = numberIn(v, "revision"); err != nil {
		return w, err
	}
	w.Wait, err = waitIn(v, "wait", defaultWait)
	return w, err
}
