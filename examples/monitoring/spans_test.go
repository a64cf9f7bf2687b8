package monitoring_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans are what a receiver of OTLP has got.
type spans struct {
	mu   sync.Mutex
	all  [][2]string // trace and name
	text []string    // every request, readable
}

// receive listens until the test ends, and returns where.
func (s *spans) receive(t *testing.T) (url string) {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		q := &otlp.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(b, q)
		}
		if err != nil {
			t.Errorf("receive spans: %v", err)
		}
		s.take(q)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(receiver.Close)
	return receiver.URL
}

func (s *spans) take(q *otlp.ExportTraceServiceRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, q.String())
	for _, r := range q.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			for _, span := range scope.Spans {
				s.all = append(s.all, [2]string{hex.EncodeToString(span.TraceId), span.Name})
			}
		}
	}
}

// has says whether a span of this name has come, of a trace if that is not empty.
func (s *spans) has(trace, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if one[1] == name && (trace == "" || one[0] == trace) {
			return true
		}
	}
	return false
}

func (s *spans) contain(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.text, ""), text)
}
