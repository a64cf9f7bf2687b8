package controller

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
)

// metrics fails the test unless a scrape has each of the lines.
func (w *world) metrics(lines ...string) {
	w.t.Helper()
	r := httptest.NewRecorder()
	w.meter.Handler().ServeHTTP(r, httptest.NewRequestWithContext(w.t.Context(), "GET", "/metrics", nil))
	text := r.Body.String()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			found := ""
			for l := range strings.Lines(text) {
				if strings.HasPrefix(l, name) {
					found += l
				}
			}
			w.t.Errorf("no line %s; there are:\n%s", line, found)
		}
	}
}

func TestWhatTheControllerDoesIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.peer("a1@127.0.0.1", func(id string) error {
			if id == "bad" {
				return errors.New("no")
			}
			return nil
		})
		p.Refuse(transport.ErrCookie)
		w.list("a1@127.0.0.1")
		w.settle(100 * time.Millisecond)
		w.metrics(`ehc_dial_failures_total{app="a",reason="CookieRejected"} 1`, `ehc_dials_total{app="a"} 1`)
		p.Refuse(nil)
		w.settle(time.Minute)
		w.emit(3)
		w.settle(time.Second)
		w.metrics(
			`ehc_connections_opened_total{app="a",direction="out"} 1`,
			`ehc_outbox_enqueued_total{app="a"} 3`, `ehc_outbox_delivered_total{app="a"} 3`,
			`ehc_reconcile_actions_total{kind="resync",outcome="started"} 1`,
			`ehc_rpc_calls_total{function="erlang.system_info",outcome="ok"} 1`,
			`ehc_rpc_calls_total{function="EventHorizon.Remote.Handler.handle_buffered_event",outcome="ok"} 3`,
			`ehc_drain_call_duration_seconds_count{app="a"} 4`, // the first asked for a handler of batches
		)
		if _, err := w.ctl.Emit(t.Context(), api.EmitRequest{Events: []api.Event{{ID: "bad", Type: "x"}}}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Hour)
		w.metrics(`ehc_outbox_delivery_failures_total{app="a"} 19`, `ehc_outbox_buried_total{app="a",reason="HandlerRefused"} 1`)
		w.call(etf.Atom("ping"))
		w.call(etf.Atom("get_realtime_count"), "visits:/")
		w.metrics(`ehc_door_requests_total{outcome="ok",request="ping"} 1`,
			`ehc_door_requests_total{outcome="not_allowed",request="get_realtime_count"} 1`)
		p.Kill()
		w.settle(time.Second)
		w.metrics(`ehc_connections_lost_total{app="a",reason="Disconnected"} 1`)
	})
}

func TestBroadcastsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, pubsubText)
		p := w.peer("a1@127.0.0.1", nil)
		p.ShowPubSub(map[string]int{"A.PubSub": 1})
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		p.Broadcast("A.PubSub", "metrics:x", etf.Atom("news"))
		p.Broadcast("A.PubSub", "other:x", etf.Atom("news"))
		if _, err := w.ctl.Broadcast(t.Context(), api.BroadcastRequest{Topic: "metrics:y", Message: []byte(`1`)}); err != nil {
			t.Fatal(err)
		}
		w.settle(time.Second)
		w.metrics(`ehc_pubsub_messages_total{fate="kept",server="A.PubSub"} 1`,
			`ehc_pubsub_messages_total{fate="passed_over",server="A.PubSub"} 1`,
			`ehc_pubsub_messages_total{fate="lost",server="A.PubSub"} 0`,
			`ehc_pubsub_broadcasts_total{outcome="sent",server="A.PubSub"} 1`)
	})
}

func TestTheLogOfTheFileInForceCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		text := worldText + "log {\n  level  = \"debug\"\n  format = \"json\"\n}\n"
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "cluster.hcl", Text: text}); err != nil {
			t.Fatal(err)
		}
		if w.log != (state.LogSpec{Level: "debug", JSON: true}) {
			t.Errorf("the log is %+v", w.log)
		}
		for _, c := range []struct {
			ask  api.Log
			want state.LogSpec
			bad  bool
		}{
			{api.Log{Level: "warn"}, state.LogSpec{Level: "warn", JSON: true}, false},
			{api.Log{Format: "text"}, state.LogSpec{Level: "warn"}, false},
			{api.Log{Level: "loud"}, state.LogSpec{Level: "warn"}, true},
			{api.Log{Level: "info", Format: "xml"}, state.LogSpec{Level: "warn"}, true},
		} {
			got, err := w.ctl.SetLog(t.Context(), c.ask)
			if (err != nil) != c.bad || w.log != c.want || err == nil && got != logJSON(c.want) {
				t.Errorf("%+v: %+v, %v; the log is %+v", c.ask, got, err, w.log)
			}
		}
		if _, err := w.ctl.Apply(t.Context(), api.ApplyRequest{File: "cluster.hcl", Text: text + "\n"}); err != nil {
			t.Fatal(err)
		}
		if got, err := w.ctl.Log(t.Context()); err != nil || got != (api.Log{Level: "debug", Format: "json"}) {
			t.Errorf("after a file was put in force: %+v, %v", got, err)
		}
	})
}
