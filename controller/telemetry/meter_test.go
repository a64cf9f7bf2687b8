package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"ehc/controller/api"
	"ehc/controller/discover"
	"ehc/reconcile"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/outbox"
	"ehc/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scrape is what Prometheus would read.
func scrape(t *testing.T, m *Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// want fails the test unless each line is in the scrape.
func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("no line %s; there are:\n%s", line, grep(text, strings.Fields(name)[0]))
		}
	}
}

func grep(text, prefix string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func apps() []state.App {
	return []state.App{{Name: "billing"}, {Name: "search", Deliver: &state.Deliver{
		Module: "Elixir.Remote", Function: "handle", Batch: state.Function{Module: "Elixir.Remote", Name: "handles"},
	}}}
}

// sources are facts of a small cluster.
func sources(t *testing.T) Sources {
	t.Helper()
	store, err := state.New()
	if err != nil {
		t.Fatal(err)
	}
	as := apps()
	as[0].Queries = []state.Lookup{{Text: "billing.internal"}, {Text: "broken.internal"}, {Text: "slow.internal"}}
	now := time.Now()
	for _, err := range []error{
		store.SetSpec(state.Spec{Apps: as}, now),
		store.RecordAnswer("billing", "billing.internal", state.Answer{Found: []state.Found{{Node: "a@h"}, {Node: "b@h"}}}, now),
		store.RecordFailure("billing", "broken.internal", "SERVFAIL"),
		store.RecordUp("a@h", 1, now),
		store.RecordUp("shell@h", 1, now),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return Sources{
		Snapshot: store.Snapshot,
		Queues: func() []outbox.Stat {
			return []outbox.Stat{
				{App: "search", Pending: 3, Bytes: 99, Dead: 2, Oldest: now.Add(-time.Hour)},
				{App: "old", Damage: &outbox.DamageError{}},
			}
		},
		Status: func(context.Context) (api.Status, error) {
			return api.Status{
				Config: api.Config{AppliedAt: time.Unix(1000, 0), Error: "line 3", RestartRequired: []string{"node.name"}},
				Apps:   []api.App{{App: "billing", Conditions: []api.Condition{{Type: "Connected", Status: "False"}}}},
			}, nil
		},
		Size: func() (disk.Size, error) { return disk.Size{Store: 1, Volume: 3, Available: 2}, nil },
	}
}

func TestFactsAreReadAtTheScrape(t *testing.T) {
	m := NewMeter("v1", "go1")
	m.Read(sources(t))
	text := scrape(t, m)
	want(t, text,
		`ehc_build_info{go_version="go1",version="v1"} 1`,
		`ehc_connections{app="billing",phase="up"} 1`,
		`ehc_connections{app="billing",phase="down"} 1`, // b was never dialled
		`ehc_connections{app="billing",phase="dialling"} 0`,
		`ehc_connections{app="-",phase="up"} 1`, // the shell
		`ehc_connections{app="search",phase="up"} 0`,
		`ehc_nodes_listed{app="billing"} 2`,
		`ehc_queries{app="billing",state="answered"} 1`,
		`ehc_queries{app="billing",state="failed"} 1`,
		`ehc_queries{app="billing",state="waiting"} 1`,
		`ehc_app_condition{app="billing",condition="Connected",status="False"} 1`,
		`ehc_app_condition{app="billing",condition="Connected",status="True"} 0`,
		`ehc_config_problem 1`,
		`ehc_config_restart_required 1`,
		`ehc_config_applied_timestamp_seconds 1000`,
		`ehc_outbox_pending_events{app="search"} 3`,
		`ehc_outbox_pending_bytes{app="search"} 99`,
		`ehc_outbox_dead_letters{app="search"} 2`,
		`ehc_outbox_damaged{app="search"} 0`,
		`ehc_outbox_damaged{app="old"} 1`,
		`ehc_outbox_oldest_event_age_seconds{app="old"} 0`,
		`ehc_store_size_bytes 1`,
		`ehc_store_volume_available_bytes 2`,
	)
	if age := grep(text, `ehc_outbox_oldest_event_age_seconds{app="search"} 3`); !strings.Contains(age, "} 360") {
		t.Errorf("an event of an hour has the age %q", age)
	}
}

func TestAStatusThatFailsLeavesTheRest(t *testing.T) {
	m := NewMeter("v1", "go1")
	s := sources(t)
	s.Status = func(context.Context) (api.Status, error) { return api.Status{}, errors.New("busy") }
	s.Size = func() (disk.Size, error) { return disk.Size{}, errors.New("gone") }
	m.Read(s)
	text := scrape(t, m)
	want(t, text, `ehc_nodes_listed{app="billing"} 2`)
	if strings.Contains(text, "ehc_app_condition{") || strings.Contains(text, "ehc_store_size_bytes") {
		t.Error("facts are there that could not be read")
	}
}

func TestWhatHappensIsCounted(t *testing.T) {
	m := NewMeter("v1", "go1")
	m.Know(apps())
	before := scrape(t, m)
	want(t, before, // what has not happened shows as 0: else the first time is no increase
		`ehc_connections_lost_total{app="billing",reason="Silent"} 0`,
		`ehc_dial_failures_total{app="search",reason="CookieRejected"} 0`,
		`ehc_outbox_buried_total{app="search",reason="HandlerRaised"} 0`,
		`ehc_outbox_delivered_total{app="search"} 0`,
		`ehc_rpc_calls_total{function="Remote.handle",outcome="timeout"} 0`,
	)

	m.ConnectionOpened("billing", true)
	m.ConnectionOpened("", false)
	m.ConnectionLost("billing", "Silent")
	m.Dialled("billing", "")
	m.Dialled("billing", "CookieRejected")
	m.HandshakeRefused("WrongName")
	m.AskedDNS(discover.ServFail, 20*time.Millisecond)
	m.AskedEPMD(discover.Unreachable, time.Second)
	m.Events(outbox.Change{App: "search", What: outbox.Enqueued, Events: 5})
	m.Events(outbox.Change{App: "search", What: outbox.Buried, Reason: "Expired", Events: 2})
	m.Batch("search", 5, 3*time.Millisecond)
	m.DoorCalled("count", "disconnected", time.Second)
	m.DoorCalled("made up", "ok", time.Millisecond)
	m.DoorCast("emit", "cast")
	m.TakesPart("A.PubSub")
	m.Heard("A.PubSub", Kept)
	m.Broadcast("A.PubSub", 3, 1)
	m.Receives()
	m.Received(3, 2, "")
	m.Received(0, 0, "bad_event")
	m.Commit(disk.Commit{Writes: 4, Took: time.Millisecond})
	m.Commit(disk.Commit{Writes: 1, Took: time.Millisecond, Err: disk.ErrFull})
	failed := &reconcile.ActionError{Action: reconcile.Action{Kind: reconcile.Connect}, Err: errors.New("no")}
	m.Pass(reconcile.Plan{
		Actions: []reconcile.Action{{Kind: reconcile.Prune}, {Kind: reconcile.Connect}, {Kind: reconcile.Connect}},
		Held:    []reconcile.Hold{{Prune: true}, {}, {}},
	}, errors.Join(failed), time.Unix(5000, 0), 2*time.Millisecond)

	want(t, scrape(t, m),
		`ehc_connections_opened_total{app="billing",direction="in"} 1`,
		`ehc_connections_opened_total{app="-",direction="out"} 1`,
		`ehc_connections_lost_total{app="billing",reason="Silent"} 1`,
		`ehc_dials_total{app="billing"} 2`,
		`ehc_dial_failures_total{app="billing",reason="CookieRejected"} 1`,
		`ehc_handshakes_refused_total{reason="WrongName"} 1`,
		`ehc_dns_questions_total{outcome="servfail"} 1`,
		`ehc_dns_question_duration_seconds_bucket{le="0.025"} 1`,
		`ehc_epmd_questions_total{outcome="unreachable"} 1`,
		`ehc_outbox_enqueued_total{app="search"} 5`,
		`ehc_outbox_buried_total{app="search",reason="Expired"} 2`,
		`ehc_drain_batch_events_sum{app="search"} 5`,
		`ehc_drain_call_duration_seconds_count{app="search"} 1`,
		`ehc_door_requests_total{outcome="disconnected",request="count"} 1`,
		`ehc_door_requests_total{outcome="ok",request="other"} 1`,
		`ehc_door_requests_total{outcome="cast",request="emit"} 1`,
		`ehc_door_call_duration_seconds_count 2`,
		`ehc_pubsub_messages_total{fate="kept",server="A.PubSub"} 1`,
		`ehc_pubsub_messages_total{fate="lost",server="A.PubSub"} 0`,
		`ehc_pubsub_broadcasts_total{outcome="sent",server="A.PubSub"} 3`,
		`ehc_pubsub_broadcasts_total{outcome="failed",server="A.PubSub"} 1`,
		`ehc_inbox_events_total{outcome="new"} 3`,
		`ehc_inbox_events_total{outcome="again"} 2`,
		`ehc_inbox_events_total{outcome="bad_event"} 1`,
		`ehc_store_commit_duration_seconds_count 2`,
		`ehc_store_commit_writes_sum 5`,
		`ehc_store_commit_failures_total 1`,
		`ehc_reconcile_actions_total{kind="connect",outcome="started"} 1`,
		`ehc_reconcile_actions_total{kind="connect",outcome="failed"} 1`,
		`ehc_reconcile_actions_total{kind="prune",outcome="started"} 1`,
		`ehc_reconcile_held{by="guard"} 1`,
		`ehc_reconcile_held{by="wait"} 2`,
		`ehc_reconcile_last_pass_timestamp_seconds 5000`,
		`ehc_reconcile_pass_duration_seconds_count 1`,
	)
}

func TestAnAppThatNoFileHasLeavesNoSeriesBehind(t *testing.T) {
	m := NewMeter("v1", "go1")
	m.Know(apps())
	m.Dialled("search", "CookieRejected")
	m.Dialled("billing", "")
	m.Batch("search", 7, time.Second)
	m.Know(apps()[:1])
	m.ConnectionLost("search", "Closed") // pruned, after its grace
	m.Know(apps()[:1])
	text := scrape(t, m)
	if strings.Contains(text, `app="search"`) {
		t.Errorf("there are:\n%s", text)
	}
	want(t, text, `ehc_dials_total{app="billing"} 1`, `ehc_connections_lost_total{app="-",reason="Closed"} 0`)
	m.Know(apps())
	want(t, scrape(t, m), `ehc_dials_total{app="search"} 0`, `ehc_dials_total{app="billing"} 1`)
}

func TestFunctionsThatPeopleMakeUpDoNotGrowTheLabels(t *testing.T) {
	m := NewMeter("v1", "go1")
	for i := range 3 * maxFunctions {
		m.called("Elixir.M", fmt.Sprint("f", i), nil, time.Millisecond)
	}
	m.called("Elixir.M", "f0", &transport.RaisedError{}, time.Millisecond)
	text := scrape(t, m)
	if n := strings.Count(text, `outcome="ok"`); n > 2*maxFunctions {
		t.Errorf("%d series", n)
	}
	want(t, text, `ehc_rpc_calls_total{function="M.f0",outcome="raised"} 1`,
		fmt.Sprintf(`ehc_rpc_calls_total{function="other",outcome="ok"} %d`, 2*maxFunctions+1)) // one name is ehc's own
}

func TestOutcomesOfCalls(t *testing.T) {
	for want, err := range map[string]error{
		"ok": nil, "raised": fmt.Errorf("x: %w", &transport.RaisedError{}), "exited": &transport.SignalError{},
		"refused": &transport.SpawnError{}, "timeout": context.DeadlineExceeded, "disconnected": transport.ErrDown,
	} {
		if got := rpcOutcome(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	m := NewMeter("v1", "go1")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	h := m.Requests(mux)
	for _, path := range []string{"/v1/status", "/v1/status?x=1", "/made/up", "/up/made"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	}
	want(t, scrape(t, m),
		`ehc_api_requests_total{code="200",route="GET /v1/status"} 2`,
		`ehc_api_requests_total{code="404",route="/"} 2`,
		`ehc_api_request_duration_seconds_count{route="/"} 2`)
}

func TestWhatPeersCallIsCounted(t *testing.T) {
	m := NewMeter("v1", "go1")
	f := transport.Function{Module: "Elixir.Remote", Name: "get", Arity: 1}
	fail := false
	served := m.Served(map[transport.Function]transport.Handler{f: func(context.Context, string, []transport.Term) (transport.Term, error) {
		if fail {
			return nil, errors.New("no")
		}
		return 7, nil
	}})
	if got, err := served[f](t.Context(), "a@h", nil); got != 7 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	fail = true
	_, _ = served[f](t.Context(), "a@h", nil)
	want(t, scrape(t, m), `ehc_rpc_served_total{function="Remote.get",outcome="ok"} 1`,
		`ehc_rpc_served_total{function="Remote.get",outcome="raised"} 1`)
}

func TestNamesFollowTheConvention(t *testing.T) {
	m := NewMeter("v1", "go1")
	m.Know(apps())
	m.Read(sources(t))
	m.Receives()
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, namespace) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestANilMeterCountsNothing(t *testing.T) {
	var m *Meter
	m.Know(apps())
	m.ConnectionOpened("a", true)
	m.ConnectionLost("a", "Silent")
	m.Dialled("a", "")
	m.HandshakeRefused("x")
	m.AskedDNS("answer", 0)
	m.AskedEPMD("answer", 0)
	m.Events(outbox.Change{})
	m.Batch("a", 1, 0)
	m.Receives()
	m.Received(1, 1, "x")
	m.Commit(disk.Commit{})
	m.DoorCalled("ping", "ok", 0)
	m.DoorCast("emit", "cast")
	m.TakesPart("a")
	m.Heard("a", Kept)
	m.Broadcast("a", 1, 1)
	m.Pass(reconcile.Plan{}, nil, time.Time{}, 0)
	m.Read(Sources{})
	m.called("m", "f", nil, 0)
	if m.Served(nil) != nil || m.Requests(nil) != nil || Watch(nil, nil, nil) != nil {
		t.Error("something was put around nothing")
	}
}
