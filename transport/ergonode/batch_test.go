package ergonode

import "testing"

func TestBatch(t *testing.T) {
	b := batch{want: 1}
	after := func(times int, late bool, underWay int) int {
		for range times {
			b.learn(late, underWay)
		}
		return b.want
	}
	for _, step := range []struct {
		what     string
		times    int
		late     bool
		underWay int
		want     int
	}{
		{"a single call waits for nothing", 10, false, 1, 1},
		{"with many it doubles", 3, false, 256, 8},
		{"and doubles, to a quarter of them", 10, false, 256, 64},
		{"it follows when they become fewer", 3, false, 64, 16},
		{"what comes late makes it wait no more", 1, true, 64, 1},
		{"for some time", inVain, false, 64, 1},
		{"and then it tries again", 1, false, 64, 2},
		{"few calls end it", 1, false, manyCalls - 1, 1},
		{"and leave no grudge", 1, false, 64, 2},
	} {
		if got := after(step.times, step.late, step.underWay); got != step.want {
			t.Errorf("%s: waits for %d, want %d", step.what, got, step.want)
		}
	}
}
