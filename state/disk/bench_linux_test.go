package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var sizes = []int{1, 64} // goroutines that write

// BenchmarkWrite is durable writes of a row of 200 bytes, one in each Write.
// Compare it with BenchmarkFloor of the same run: a flush costs what it costs.
func BenchmarkWrite(b *testing.B) {
	value := strings.Repeat("x", 200)
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			db := openTest(b, b.TempDir())
			var i atomic.Int64
			before := db.committer.commits
			each(b, n, func() error {
				return db.Write(context.Background(), put(fmt.Sprintf("%012d", i.Add(1)), value))
			})
			b.ReportMetric(float64(b.N)/float64(db.committer.commits-before), "writes/commit")
		})
	}
}

// BenchmarkFloor is the least that durability costs: the same 200 bytes
// appended to a file and flushed by fdatasync, in groups in the same way.
func BenchmarkFloor(b *testing.B) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
			must(b, err)
			defer f.Close()
			queue := make(chan chan error, maxQueued)
			go floor(f, queue)
			defer close(queue)
			each(b, n, func() error {
				done := make(chan error, 1)
				queue <- done
				return <-done
			})
		})
	}
}

func floor(f *os.File, queue <-chan chan error) {
	row := make([]byte, 212)
	for first := range queue {
		group := []chan error{first}
		for len(queue) > 0 && len(group) < maxGroup {
			group = append(group, <-queue)
		}
		_, err := f.Write(make([]byte, len(row)*len(group)))
		if err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		for _, done := range group {
			done <- err
		}
	}
}

// each shares b.N calls among n goroutines.
func each(b *testing.B, n int, call func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	errs := make(chan error, n)
	b.ResetTimer()
	for range n {
		go func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range n {
		must(b, <-errs)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
