package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder takes an answer as a connection does, deadlines and all.
type recorder struct{ *httptest.ResponseRecorder }

func (recorder) SetReadDeadline(time.Time) error  { return nil }
func (recorder) SetWriteDeadline(time.Time) error { return nil }
func (recorder) EnableFullDuplex() error          { return nil }

// FuzzRequests gives any body and any query to any route. Whatever it is, it is
// answered as the description has it, and with no 500.
func FuzzRequests(f *testing.F) {
	routes := map[string]bool{}
	for _, e := range exchanges() {
		method, path, _ := strings.Cut(e.route, " ")
		u, err := url.Parse(path)
		if err != nil {
			f.Fatal(err)
		}
		if e.path != "" {
			if u, err = url.Parse(e.path); err != nil {
				f.Fatal(err)
			}
		}
		routes[method+" "+path] = true
		f.Add(method, u.Path, u.RawQuery, e.kind, e.body)
	}
	d, err := loaded()
	if err != nil {
		f.Fatal(err)
	}
	h := Handler(fake{}, Options{Version: Version{Version: "v1", Go: "go1.26"}})
	f.Fuzz(func(t *testing.T, method, path, query, kind, body string) {
		if !routes[method+" "+path] || strings.HasPrefix(path, "/v1/history/follow") && !strings.Contains(query, "=x") {
			return // another test's; and a stream has no end
		}
		if q, err := url.ParseQuery(query); path == "/v1/history" && (err != nil || q.Has("wait")) {
			return // the fake's history waits for as long as the client does
		}
		r := &http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Content-Type": {kind}},
			Body: http.NoBody, Host: "ehc", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		if method == http.MethodPost {
			r.Body = httptest.NewRequest(method, "/", strings.NewReader(body)).Body
		}
		w := recorder{httptest.NewRecorder()}
		h.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusBadGateway { // which a call may give
			t.Errorf("%s %s?%s %q: %d %s", method, path, query, body, w.Code, w.Body)
		}
		if err := d.Response(method, r.URL, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzQueries reads any query, and what it makes of one is read back the same.
func FuzzQueries(f *testing.F) {
	f.Add("app=a&id=b&dead=true&after=7&limit=9&index=3&revision=4&wait=5s")
	f.Add("node=n@h&wait=10m&limit=0")
	f.Add("after=9007199254740991&limit=10000&dead=false&wait=1ns")
	f.Add("after=-1&limit=1e3&dead=1&wait=11m")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		if q, err := outboxQuery(v); err == nil {
			if q.Watch.Seen == (Moment{}) {
				q.Watch.Wait = defaultWait // goes over the wire with what was seen
			}
			again, err := outboxQuery(q.values())
			if err != nil || !cmp.Equal(q, again) {
				t.Errorf("outbox: %+v read back as %+v, %v", q, again, err)
			}
		}
		if q, err := historyQuery(v); err == nil {
			again, err := historyQuery(q.values())
			if err != nil || !cmp.Equal(q, again) {
				t.Errorf("history: %+v read back as %+v, %v", q, again, err)
			}
		}
		if q, err := waitingIn(v); err == nil && q.WaitMillis < 0 {
			t.Errorf("wait: %+v", q)
		}
	})
}

// FuzzLines cuts any text into lines as a body of NDJSON: each is answered once, in
// order, up to the first that is no event.
func FuzzLines(f *testing.F) {
	for _, e := range exchanges() {
		if e.kind == linesType {
			f.Add([]byte(e.body))
		}
	}
	f.Add([]byte("{\"type\":\"x\"}\r\n \n{\"type\":\"x\"}{}\n"))
	f.Add([]byte("\x00\n{\"type\":\"x\",\"payload\":{\"a\":[1e400]}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		q := &queue{}
		w := recorder{httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodPost, "/v1/events", bytes.NewReader(body))
		r.Header.Set("Content-Type", linesType)
		Handler(q, Options{}).ServeHTTP(w, r)
		var want []string // ids of the events before the first that is none
		lines := 0
		for line := range bytes.Lines(body) {
			lines++
			if text := bytes.TrimSpace(line); len(text) > 0 {
				e, err := readEvent(text, lines)
				if err != nil || e.Type == "bad" {
					break
				}
				want = append(want, e.ID)
			}
		}
		if got := q.taken(); !cmp.Equal(want, got) {
			t.Errorf("taken %q, want %q", got, want)
		}
		if answers := bytes.Count(w.Body.Bytes(), []byte("\"id\":")); w.Code == 200 && answers > len(want)+1 {
			t.Errorf("%d answers for %d events: %s", answers, len(want), w.Body)
		}
	})
}

// FuzzAddress reads any address; one that is taken is read back the same.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"unix:/run/ehc.sock", "http://h:1", "https://[fdaa::1]:8400", "http://h:1/", "http://u:p@h:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || a != again {
			t.Errorf("%q is %v, read back as %v, %v", text, a, again, err)
		}
	})
}
