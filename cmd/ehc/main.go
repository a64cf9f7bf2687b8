// Command ehc joins Erlang and Elixir clusters as a node and keeps them as
// cluster.hcl asks. This package owns the command line: what is typed, what is
// shown, what is asked, the exit codes, and the wiring of the controller. It
// refuses to decide anything about a cluster: plans come from a controller, or
// for plan -offline from reconcile.
//
// Each command is a file. What is shown is worked out apart from what is asked
// and done, so that a golden file can hold it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// main is the only place that ends the process. Exit codes: 0 done or nothing
// to do, 1 an error, 2 what a command that only looks has found: drift, a failure of
// doctor, and a plan with changes under -detailed-exitcode.
func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go heed(signals, os.Stderr, cancel, os.Exit) // ends with the process
	os.Exit(execute(ctx, systemStreams(), os.Args[1:]))
}

// heed asks for an orderly end at the first signal and exits at the second.
func heed(signals <-chan os.Signal, w io.Writer, cancel func(), exit func(code int)) {
	<-signals
	cancel()
	again := <-signals
	_, _ = fmt.Fprintf(w, "ehc: second signal (%v): exiting at once, with what was under way cut off\n", again)
	exit(codeError)
}
