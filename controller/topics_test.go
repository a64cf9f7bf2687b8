package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/disk"
	"ehc/state/inbox"
	"ehc/transport/etf"
	"ehc/transport/pubsub"
	"ehc/transport/transporttest"
)

const pubsubText = worldText + `
pubsub "A.PubSub" { topics = ["metrics:*"] }
`

// listens keeps what is broadcast to the node's server, as Erlang writes it.
type listens struct {
	mu  sync.Mutex
	got []string
}

func (l *listens) to(p *transporttest.Node, server string) *listens {
	p.Receive(string(pubsub.Adapter(server)), func(_ string, m etf.Term) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if topic, message, ok := pubsub.Forwarded(m); ok {
			l.got = append(l.got, p.Name()+" "+topic+" "+etf.Text(message))
		}
	})
	return l
}

func (l *listens) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := slices.Clone(l.got)
	slices.Sort(got)
	l.got = nil
	return got
}

func (w *world) watch(q api.TopicQuery) api.TopicReader {
	w.t.Helper()
	r, err := w.ctl.Topics(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(r.Close)
	return r
}

func (w *world) apply(text string) {
	w.t.Helper()
	if _, err := w.ctl.Apply(w.t.Context(), api.ApplyRequest{File: "cluster.hcl", Text: text}); err != nil {
		w.t.Fatal(err)
	}
}

func nextText(t *testing.T, r api.TopicReader) string {
	t.Helper()
	b, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range b.Messages {
		out = append(out, fmt.Sprintf("%s %s %s %s%s", m.Node, m.Server, m.Topic, m.Event, m.Message))
	}
	return strings.Join(out, ", ")
}

func TestWhatIsBroadcastIsHandedOnAndWhatIsAskedIsBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, pubsubText)
		all := &listens{}
		for _, name := range []string{"a1@127.0.0.1", "a2@127.0.0.1"} {
			p := w.peer(name, nil)
			p.ShowPubSub(map[string]int{"A.PubSub": 1})
			all.to(p, "A.PubSub")
		}
		w.list("a1@127.0.0.1", "a2@127.0.0.1")
		w.settle(time.Second)
		r := w.watch(api.TopicQuery{Topic: "metrics:*"})
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "secret", 1)
		w.net.Node("a1@127.0.0.1").Broadcast("A.PubSub", "metrics:x", etf.Tuple{etf.Atom("n"), 1})
		if diff := cmp.Diff(`a1@127.0.0.1 A.PubSub metrics:x ["n",1]`, nextText(t, r)); diff != "" {
			t.Error(diff)
		}
		done, err := w.ctl.Broadcast(t.Context(), api.BroadcastRequest{
			Topic: "metrics:y", Message: json.RawMessage(`{"n":{"$atom":"two"}}`), Event: "visit", App: "a",
		})
		if diff := cmp.Diff(api.Broadcasted{Server: "A.PubSub", Nodes: 2}, done); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if diff := cmp.Diff(`ehc@127.0.0.1 A.PubSub metrics:y visit{"n":"two"}`, nextText(t, r)); diff != "" {
			t.Error(diff)
		}
		const event = ` metrics:y #{'__struct__' => 'Elixir.Phoenix.Socket.Broadcast',topic => <<"metrics:y">>,event => <<"visit">>,payload => #{<<"n">> => two}}`
		if diff := cmp.Diff([]string{"a1@127.0.0.1" + event, "a2@127.0.0.1" + event}, all.heard()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatCannotBeWatchedOrBroadcastIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		refused := func(what string, err error, status int, says string) {
			t.Helper()
			var p *api.Problem
			if !errors.As(err, &p) || p.Status != status || !strings.Contains(p.Detail, says) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := w.ctl.Topics(t.Context(), api.TopicQuery{Topic: "t"})
		refused("no block", err, http.StatusUnprocessableEntity, "takes part in no Phoenix.PubSub")
		w.apply(pubsubText)
		_, err = w.ctl.Topics(t.Context(), api.TopicQuery{Topic: "t"})
		refused("a topic that is not kept", err, http.StatusUnprocessableEntity, `topic "t" of A.PubSub is not kept`)
		_, err = w.ctl.Topics(t.Context(), api.TopicQuery{Topic: "metrics:x", Server: "B"})
		refused("another server", err, http.StatusUnprocessableEntity, `no pubsub block "B": cluster.hcl has A.PubSub`)
		for what, r := range map[string]api.BroadcastRequest{
			"no topic": {Message: json.RawMessage(`1`)}, "no message": {Topic: "t"}, "no JSON": {Topic: "t", Message: json.RawMessage(`{`)},
			"no form": {Topic: "t", Message: json.RawMessage(`{"$tuple":1}`)}, "a long topic": {Topic: strings.Repeat("t", 2000), Message: json.RawMessage(`1`)},
		} {
			_, err := w.ctl.Broadcast(t.Context(), r)
			refused(what, err, http.StatusBadRequest, "")
		}
		_, err = w.ctl.Broadcast(t.Context(), api.BroadcastRequest{Topic: "t", Message: json.RawMessage(`1`), App: "b"})
		refused("another app", err, http.StatusUnprocessableEntity, `no app "b"`)
		done, err := w.ctl.Broadcast(t.Context(), api.BroadcastRequest{Topic: "t", Message: json.RawMessage(`1`)})
		if err != nil || done.Nodes != 0 {
			t.Errorf("with nobody connected: %+v, %v", done, err)
		}
	})
}

// pubsubOf is the condition PubSub of each node: its reason.
func (w *world) pubsubOf() map[string]string {
	out := map[string]string{}
	for _, n := range w.status().Nodes {
		for _, c := range n.Conditions {
			if c.Type == condPubSub {
				out[n.Node] = c.Status + " " + c.Reason
			}
		}
	}
	return out
}

func TestANodeThatIsDeafOrHasAnotherPoolIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, pubsubText)
		pools := map[string]map[string]int{
			"a1@127.0.0.1": {"A.PubSub": 4}, "a2@127.0.0.1": {"A.PubSub": 4}, "a3@127.0.0.1": {"A.PubSub": 2},
			"a4@127.0.0.1": {"Another.PubSub": 1}, "a5@127.0.0.1": nil,
		}
		var nodes []state.Node
		for _, name := range slices.Sorted(maps.Keys(pools)) {
			w.peer(name, nil).ShowPubSub(pools[name])
			nodes = append(nodes, state.Node(name))
		}
		w.peer("a6@127.0.0.1", nil).Kill()
		w.list(append(nodes, "a6@127.0.0.1")...)
		w.settle(time.Second)
		want := map[string]string{
			"a1@127.0.0.1": "True PubSubJoined", "a2@127.0.0.1": "True PubSubJoined", "a3@127.0.0.1": "False PubSubPoolDiffers",
			"a4@127.0.0.1": "False PubSubDeaf", "a5@127.0.0.1": "False PubSubDeaf", "a6@127.0.0.1": "Unknown NotConnected",
		}
		if diff := cmp.Diff(want, w.pubsubOf()); diff != "" {
			t.Error(diff)
		}
		warnings := []string{
			"a3@127.0.0.1: PubSubPoolDiffers: the pool of A.PubSub is 2 here and should be 4",
			"a4@127.0.0.1: PubSubDeaf: its pg scope shows no A.PubSub; it shows Another.PubSub",
			"a5@127.0.0.1: PubSubDeaf: it has no pg scope Phoenix.PubSub: nothing on it has started Phoenix.PubSub, or that has ended",
		}
		plan, err := w.ctl.Plan(t.Context(), api.PlanRequest{})
		if diff := cmp.Diff(warnings, plan.Warnings); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if diff := cmp.Diff(warnings, w.status().Warnings); diff != "" {
			t.Error(diff)
		}

		w.apply(strings.Replace(pubsubText, `topics = ["metrics:*"]`, `
  topics    = ["metrics:*"]
  pool_size = 2
`, 1))
		w.settle(time.Second)
		want["a1@127.0.0.1"], want["a2@127.0.0.1"], want["a3@127.0.0.1"] = "False PubSubPoolDiffers", "False PubSubPoolDiffers", "True PubSubJoined"
		if diff := cmp.Diff(want, w.pubsubOf()); diff != "" {
			t.Error("with a pool_size in the file:", diff)
		}
		w.net.Node("a1@127.0.0.1").ShowPubSub(map[string]int{"A.PubSub": 2})
		w.settle(time.Second)
		if got := w.pubsubOf()["a1@127.0.0.1"]; got != "True PubSubJoined" {
			t.Errorf("after a deploy with another pool: %s", got)
		}
		w.apply(worldText)
		w.settle(time.Second)
		if got := w.pubsubOf(); len(got) > 0 {
			t.Errorf("without the block: %v", got)
		}
	})
}

// A node that says nothing of its PubSub is unknown, and resynced all the same.
func TestANodeThatDoesNotSayWhatItShowsIsResynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, pubsubText)
		w.peer("a1@127.0.0.1", nil)
		w.topics.store, _ = state.New() // and what is told arrives nowhere
		w.list("a1@127.0.0.1")
		w.settle(time.Minute)
		if got := w.pubsubOf()["a1@127.0.0.1"]; got != "Unknown PubSubUnknown" {
			t.Errorf("PubSub is %s", got)
		}
		if c := w.nodeCondition("Synced"); c.Status != "True" {
			t.Errorf("Synced: %+v", c)
		}
	})
}

func TestCountersThatChangeAreBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, pubsubText+`
pubsub "B.PubSub" { topics = ["metrics:likes"] }
`)
		p := w.peer("a1@127.0.0.1", nil)
		l := (&listens{}).to(p, "A.PubSub")
		l.to(p, "B.PubSub")
		w.list("a1@127.0.0.1")
		w.settle(time.Second)
		r := w.watch(api.TopicQuery{Topic: "metrics:visits"})
		w.topics.counts.add([]inbox.Counter{{Name: "visits", Key: "/blog", Value: 1}, {Name: "visits", Key: "/blog", Value: 2}, {Name: "likes", Key: "7", Value: -1}})
		w.settle(time.Second)
		const update = `{metric_updated,#{key => <<"visits:/blog">>,name => <<"visits">>,count => 2}}`
		const likes = `{metric_updated,#{key => <<"likes:7">>,name => <<"likes">>,count => -1}}`
		want := []string{
			"a1@127.0.0.1 metrics:likes " + likes, "a1@127.0.0.1 metrics:likes " + likes, // of both servers
			"a1@127.0.0.1 metrics:likes:7 " + likes, "a1@127.0.0.1 metrics:visits " + update, "a1@127.0.0.1 metrics:visits:/blog " + update,
		}
		if diff := cmp.Diff(want, l.heard()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(`ehc@127.0.0.1 A.PubSub metrics:visits ["metric_updated",{"key":"visits:/blog","name":"visits","count":2}]`, nextText(t, r)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCountNewsAreBoundedAndOfTheLastValue(t *testing.T) {
	n := newCountNews()
	for i := range maxCountNews + 10 {
		n.add([]inbox.Counter{{Name: "visits", Key: fmt.Sprint(i), Value: 1}})
	}
	n.add([]inbox.Counter{{Name: "visits", Key: "0", Value: 2}})
	got := n.take()
	if len(got) != maxCountNews || got[0].Value != 2 || len(n.take()) != 0 {
		t.Errorf("%d, the first is %+v", len(got), got[0])
	}
}

func TestTheReceiverTellsWhatChanged(t *testing.T) {
	db, err := disk.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := NewReceiver(inbox.New(db, receiveSpec.Inbox), receiveSpec, hclog.NewNullLogger())
	r.Topics = NewTopics(nil, hclog.NewNullLogger(), nil)
	event := visitTerm("01A", "/blog", 3)
	for range 2 { // the second time it is known, and changes nothing
		if _, why := r.handle(context.Background(), "a@h", []etf.Term{event}); why != "" {
			t.Fatal(why)
		}
	}
	if diff := cmp.Diff([]inbox.Counter{{Name: "visits", Key: "/blog", Value: 3}}, r.Topics.counts.take()); diff != "" {
		t.Error(diff)
	}
}
