package main

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// streams is all of the outside world that a command may touch beside files and
// its controller, so that a test can run any command in its own process.
type streams struct {
	in       io.Reader
	out, err io.Writer

	// env returns an environment variable and whether it is set.
	env func(name string) (string, bool)
	// now is the clock: for ages and for how long something took.
	now func() time.Time

	// isTTY says that a person is at both ends, so that a question can be
	// asked and will be seen.
	isTTY bool
	// size is the width and height of the terminal at out; nil without one.
	size func() (width, height int, err error)
	// raw has the terminal at in give every key as it is pressed, until restore is
	// called; nil without one.
	raw func() (restore func(), err error)
	// color says whether out, and colorErr whether err, may be coloured.
	color, colorErr bool
}

// systemStreams are those of this process.
func systemStreams() *streams {
	out, err := isTerminal(os.Stdout), isTerminal(os.Stderr)
	s := &streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		env: os.LookupEnv, now: time.Now,
		isTTY: out && isTerminal(os.Stdin),
	}
	if s.isTTY {
		s.size = func() (int, int, error) { return term.GetSize(int(os.Stdout.Fd())) }
		s.raw = func() (func(), error) {
			old, err := term.MakeRaw(int(os.Stdin.Fd()))
			return func() { _ = term.Restore(int(os.Stdin.Fd()), old) }, err
		}
	}
	s.color = out && wantsColor(s.env)
	s.colorErr = err && wantsColor(s.env)
	return s
}

// wantsColor says whether a terminal is to be coloured: not if NO_COLOR is set
// to anything (no-color.org), nor on one that cannot.
func wantsColor(env func(string) (string, bool)) bool {
	if no, _ := env("NO_COLOR"); no != "" {
		return false
	}
	kind, _ := env("TERM")
	return kind != "dumb"
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// getenv is env for a variable that means nothing when it is empty.
func (s *streams) getenv(name string) string {
	value, _ := s.env(name)
	return value
}

// interruptible reads from r until ctx ends; then a Read that is under way
// returns the context's error. A read of a terminal cannot be called off, so its
// goroutine may outlive the Read: the process is about to end.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	own := make([]byte, min(len(p), 64<<10)) // p is the caller's again once we return
	done := make(chan result, 1)
	go func() {
		n, err := i.r.Read(own)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		copy(p, own[:got.n])
		return got.n, got.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
