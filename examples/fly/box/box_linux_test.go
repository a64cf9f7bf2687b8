package box_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The apps, and the images that are deployed one after the other: ULIDs, as in
// FLY_IMAGE_REF.
const (
	phoenix = "phoenix-aayushsahu"
	horizon = "aayush-event-horizon"

	first  = "01JBQ0000000000000000000A1"
	second = "01JBQ1111111111111111111B2"
	third  = "01JBQ2222222222222222222C3"
)

// TestAFlyNetworkInABox is one long day of a cluster on Fly. Whatever happens to
// it, each event arrives, in order, and counts once.
func TestAFlyNetworkInABox(t *testing.T) {
	w := newWorld(t)
	w.step("three Machines of one app in two regions, one of another")
	fleet := []*machine{w.app(phoenix, "yyz", first), w.app(phoenix, "lhr", first), w.app(phoenix, "lhr", first)}
	other := w.app(horizon, "yyz", first)
	w.start()
	w.converges(append(names(first, fleet), other.name(first)))
	w.emit(20)
	w.delivered()
	at := netip.AddrPortFrom(w.ehc.addr, 9568)
	w.eventually("telemetry is in reach of the organisation's Machines", func() bool { return other.reaches(at) })

	w.regions(fleet)
	w.rolling(fleet)
	fleet = w.bluegreen(fleet, other)
	w.stopped(fleet, other)
	w.partition(fleet, other)
	w.crash(fleet, other)

	w.migrations(fleet, other)

	w.step("the end")
	w.emit(20)
	w.delivered()
	w.converges(append(names(third, fleet), other.name(first)))
	if q := w.status().Outbox; len(q) != 1 || q[0].Pending != 0 || q[0].Dead != 0 {
		t.Errorf("outbox = %+v", q)
	}
}

func names(image string, fleet []*machine) []string {
	var out []string
	for _, m := range fleet {
		out = append(out, m.name(image))
	}
	return out
}

// converges waits until ehc says that the cluster is as the file asks, and checks
// that it is connected to these nodes and no other.
func (w *world) converges(want []string) {
	w.t.Helper()
	w.must("", "apply", "-config", w.config, "-auto-approve", "-wait", "2m")
	slices.Sort(want)
	var got []string
	w.eventually("the nodes are those that there are", func() bool {
		got = w.up()
		return len(got) == len(want) // a prune may wait its turn
	})
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Fatalf("connected -want +got:\n%s", diff)
	}
	for _, app := range []string{"phoenix", "event_horizon"} {
		for _, kind := range []string{"Discovered", "Connected", "Synced", "Running"} {
			w.eventually(app+" is "+kind, func() bool { return w.condition(app, kind).Status == "True" })
		}
	}
	w.eventually("nothing is left to do", func() bool {
		out, err := w.ask("", "plan", "-config", w.config, "-detailed-exitcode")
		return err == nil && strings.Contains(out, "No changes")
	})
}

// delivered waits until nothing is pending, and checks what has come.
func (w *world) delivered() {
	w.t.Helper()
	w.eventually("nothing waits", func() bool { return w.pending() == 0 })
	got, rows := w.arrived()
	if diff := cmp.Diff(w.emitted, got); diff != "" {
		w.t.Fatalf("arrived -want +got:\n%s", diff)
	}
	if rows != len(w.emitted) {
		w.t.Fatalf("%d events count, want %d", rows, len(w.emitted))
	}
}
