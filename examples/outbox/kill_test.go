package outbox_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilledAtAnyMomentCountsEachEventOnce sends as the controller does: in order,
// singly and in batches, and from the first unanswered event again after each
// kill. Frequent rotation has kills fall into it, too.
func TestKilledAtAnyMomentCountsEachEventOnce(t *testing.T) {
	r := journal(t, ", rotate_after: 100")
	const kills, extra = 10, 100
	acknowledged, onDisk, unanswered := 0, 0, 0 // the first so many events
	for range kills {
		moment := time.AfterFunc(time.Duration(rand.IntN(150_000))*time.Microsecond, r.node.Kill)
		var sent []event
		for {
			sent = visits(acknowledged, size())
			answer, err := r.handle(sent...)
			if err != nil {
				break // killed
			}
			if answer != "ok" {
				t.Fatalf("after %d events: %s", acknowledged, answer)
			}
			acknowledged += len(sent)
		}
		moment.Stop()
		r.restart()

		// All that was acknowledged is there, and what was under way is there or not.
		least, most := max(onDisk, acknowledged), max(onDisk, acknowledged+len(sent))
		switch got := r.counts(); {
		case cmp.Equal(got, tally{}.add(visits(0, least)...)):
			onDisk = least
		case cmp.Equal(got, tally{}.add(visits(0, most)...)):
			onDisk = most
			unanswered++
		default:
			t.Fatalf("killed with %d acknowledged, %d known to be on disk and %d under way: neither %d nor %d are counted",
				acknowledged, onDisk, len(sent), least, most)
		}
	}
	t.Logf("%d events acknowledged between %d kills; %d times the last call was on disk unanswered", acknowledged, kills, unanswered)
	all := visits(0, acknowledged+extra)
	for i := 0; i < len(all); i += 500 { // all of it once more, and some that are new
		r.want("ok", all[i:min(i+500, len(all))]...)
	}
	r.restart()
	if diff := cmp.Diff(tally{}.add(all...), r.counts()); diff != "" {
		t.Errorf("counted otherwise than sent:\n%s", diff)
	}
}

// size is how many events go into a call: often one.
func size() int { return max(1, rand.IntN(60)-20) }

// BenchmarkHandle measures durable events per second, from here over a link to a
// real node: one call after the other.
func BenchmarkHandle(b *testing.B) {
	for _, size := range []int{1, 256, 1000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r := journal(b, "")
			next := 0
			for b.Loop() {
				r.want("ok", visits(next, size)...)
				next += size
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
