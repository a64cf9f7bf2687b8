package outbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/etf"
)

func TestAnswers(t *testing.T) {
	r := journal(t, "")
	v := visits(0, 20)
	unknown := event{id: "u", kind: "teleport", page: "/"}
	wrong := event{id: "w", kind: "add_comment", page: "/"}
	noID := event{page: "/", delta: 1}
	for _, c := range []struct {
		name   string
		events []event
		answer string
	}{
		{"a single event", v[:1], "ok"},
		{"the same again", v[:1], "ok"},
		{"a batch with one that is known", v[:3], "ok"},
		{"one event twice in a batch", []event{v[3], v[4], v[3]}, "ok"},
		{"an unknown type", []event{unknown}, "{error,unknown_event_type}"},
		{"a payload that lacks what its type needs", []event{wrong}, "{error,invalid_payload}"},
		{"an event without an id", []event{noID}, "{error,invalid_event}"},
		{"an unknown type in third place", []event{v[5], v[6], unknown, v[7]}, "{error,2,unknown_event_type}"},
		{"an unknown type in first place", []event{unknown, v[7]}, "{error,0,unknown_event_type}"},
		{"an unknown type after known events", []event{v[0], v[1], unknown}, "{error,2,unknown_event_type}"},
		{"what came after the unknown type", v[7:10], "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := r.handle(c.events...); err != nil || got != c.answer {
				t.Errorf("answered %s, %v; want %s", got, err, c.answer)
			}
		})
	}
	r.node.Eval(`:ok = EventHorizon.Remote.Handler.handle_buffered_event(%{event_id: "int", type: :increment_visit, payload: %{page_id: 7, delta: 3}})`)
	if got := r.node.Eval(`{EventHorizon.Remote.Handler.count(:visits, 7), EventHorizon.Remote.Handler.count(:visits, "7")}`); got != "{3, 3}" {
		t.Errorf("a page whose id is an integer has %s visits", got)
	}
	want := tally{"7": 3}.add(v[:10]...)
	if diff := cmp.Diff(want, r.counts()); diff != "" {
		t.Errorf("counts:\n%s", diff)
	}
	r.restart()
	if diff := cmp.Diff(want, r.counts()); diff != "" {
		t.Errorf("counts after a kill:\n%s", diff)
	}
	if answer, err := r.call("handle_buffered_events", etf.List{}); err != nil || etf.Text(answer) != "ok" {
		t.Errorf("an empty batch: %v, %v", answer, err)
	}
	if answer, err := r.call("handle_buffered_event", 42); err != nil || etf.Text(answer) != "{error,invalid_event}" {
		t.Errorf("42: %v, %v", answer, err)
	}
}

func TestALongBatchIsHandledInParts(t *testing.T) {
	r := journal(t, "")
	all := visits(0, 1001)
	r.want("{ok,1000}", all...)
	if diff := cmp.Diff(tally{}.add(all[:1000]...), r.counts()); diff != "" {
		t.Errorf("counts:\n%s", diff)
	}
	r.want("ok", all[1000:]...)
}

// TestRotationKeepsTheFileAndItsIDsBounded counts the ids that the file holds: a
// snapshot has at most those to remember, and the events after it come on top.
func TestRotationKeepsTheFileAndItsIDsBounded(t *testing.T) {
	r := journal(t, ", rotate_after: 50, remember: 100")
	for i := 0; i < 2000; i += 10 {
		r.want("ok", visits(i, 10)...)
	}
	r.node.Eval("is_map(:sys.get_state(EventHorizon.Remote.Journal))") // a rotation that was under way is over
	dir := strings.Split(r.open, `"`)[1]
	size := r.node.Eval(`File.stat!(` + `"` + dir + `/events.journal").size`)
	if len(size) > 5 || size > "20000" && len(size) == 5 {
		t.Errorf("the file has %s bytes after 2000 events", size)
	}
	if got := r.node.Eval(`File.ls!("` + dir + `")`); got != `["events.journal"]` {
		t.Errorf("the folder holds %s", got)
	}
	want := tally{}.add(visits(0, 2000)...)
	for range 2 { // before a restart and after
		r.want("ok", visits(1900, 100)...)
		if diff := cmp.Diff(want, r.counts()); diff != "" {
			t.Errorf("the last hundred are known, and yet:\n%s", diff)
		}
		r.restart()
	}
	// What is older than the last hundred is forgotten: the limit is real.
	r.want("ok", visits(0, 1)...)
	if diff := cmp.Diff(want.add(visits(0, 1)...), r.counts()); diff != "" {
		t.Errorf("an id beyond the limit:\n%s", diff)
	}
}
