package controller

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tries := rapid.IntRange(0, 1000).Draw(t, "tries")
		first := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "first"))
		most := first * time.Duration(rapid.IntRange(1, 1000).Draw(t, "times"))
		d := backoff(tries, first, most)
		if d < first/2 || d > most {
			t.Fatalf("backoff(%d, %v, %v) = %v", tries, first, most, d)
		}
	})
}

func TestBackoffDoublesUntilItsMost(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 6: 32, 7: 60, 100: 60} {
		for range 100 {
			if d := backoff(tries, time.Second, time.Minute); d < want*time.Second/2 || d > want*time.Second {
				t.Errorf("try %d: %v, want %v to %v s", tries, d, want/2, want)
			}
		}
	}
}
