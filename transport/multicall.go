package transport

import (
	"context"
	"sync"
)

// MaxAtOnce is how many peers Each asks at the same time.
const MaxAtOnce = 256

// Result is what one peer gave: a value, or an error of Caller's.
type Result[T any] struct {
	Value T
	Err   error
}

// Multicall runs module:function(args...) on every peer side by side, as
// erpc:multicall does, and returns once each has answered or failed. See Each.
func Multicall[C Caller](ctx context.Context, peers []C, module, function string, args ...Term) []Result[Term] {
	return Each(ctx, peers, func(ctx context.Context, c C) (Term, error) {
		return c.Call(ctx, module, function, args...)
	})
}

// Each asks every peer side by side, MaxAtOnce of them at a time, and returns once
// each has answered or failed: the results in the order of peers, one for each.
// The end of ctx is the deadline of all; a peer whose turn has not come by then is
// not asked, and has the context's error as it is.
//
// It keeps nothing and starts nothing that outlives it. ask is called from several
// goroutines, once for each peer, and has to return soon after its ctx has ended.
func Each[C, T any](ctx context.Context, peers []C, ask func(context.Context, C) (T, error)) []Result[T] {
	results := make([]Result[T], len(peers))
	turns := make(chan int)
	var asking sync.WaitGroup
	for range min(len(peers), MaxAtOnce) {
		asking.Go(func() {
			for i := range turns {
				if results[i].Err = ctx.Err(); results[i].Err == nil {
					results[i].Value, results[i].Err = ask(ctx, peers[i])
				}
			}
		})
	}
	for i := range peers {
		turns <- i
	}
	close(turns)
	asking.Wait()
	return results
}
