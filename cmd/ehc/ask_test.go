package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ehc/controller/api"
)

// atTerminal runs one command line as a person does who types input.
func atTerminal(t *testing.T, f *fake, input io.Reader, args ...string) (code int, out, errs string) {
	t.Helper()
	at, stop, err := f.serve(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	var o, e strings.Builder
	s := &streams{in: input, out: &o, err: &e, now: time.Now, isTTY: true, env: func(name string) (string, bool) {
		return at.String(), name == "EHC_API"
	}}
	code = execute(t.Context(), s, args)
	return code, o.String(), e.String()
}

func pruning() scene {
	return scene{
		Plan:   api.Plan{Index: 8, Actions: []api.Action{{Kind: "prune", Node: "b@h", App: "x", Reason: "no longer listed"}}},
		Status: api.Status{Nodes: []api.Node{{Node: "b@h", App: "x", Phase: "up"}}},
		Then:   &scene{Plan: api.Plan{Index: 9}},
	}
}

func TestApplyAsksBeforeItPrunes(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		code   int
	}{
		"yes":                  {"yes\n", 0},
		"yes without a return": {"yes", 0},
		"y is not yes":         {"y\n", 1},
		"YES is not yes":       {"YES\n", 1},
		"no":                   {"no\n", 1},
		"nothing":              {"", 1},
		"yes on another line":  {"\nyes\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(pruning())
			code, out, errs := atTerminal(t, f, strings.NewReader(c.answer), "apply")
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, out, errs)
			}
			if !strings.Contains(out, "cuts the connection to 1 node.\nOnly 'yes' will be accepted: ") {
				t.Errorf("not asked:\n%s", out)
			}
			applied := strings.Contains(strings.Join(f.requests(), "\n"), "apply")
			if applied != (c.code == 0) {
				t.Errorf("requests: %q", f.requests())
			}
			if c.code != 0 && !strings.Contains(errs, "not approved: nothing was changed") {
				t.Errorf("standard error: %s", errs)
			}
		})
	}
}

// TestApplyAsksAgainWhenThePlanIsAnother: a yes is for the plan that was shown.
func TestApplyAsksAgainWhenThePlanIsAnother(t *testing.T) {
	first := pruning()
	second := pruning()
	second.Plan = api.Plan{Index: 9, Actions: []api.Action{{Kind: "prune", Node: "c@h", App: "x", Reason: "no longer listed"}}}
	first.Moves = &second
	f := newFake(first)
	code, out, _ := atTerminal(t, f, &onePerRead{lines: []string{"yes\n", "no\n"}}, "apply")
	if code != 1 || strings.Count(out, "Only 'yes'") != 2 || !strings.Contains(out, "The cluster has moved.") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if f.now.Plan.Index != 9 {
		t.Errorf("the other plan was applied: %q", f.requests())
	}
}

// TestApplyDoesNotAskAgainWhenOnlyTheIndexMoved: nor when a reason has aged.
func TestApplyDoesNotAskAgainWhenOnlyTheIndexMoved(t *testing.T) {
	first, second := pruning(), pruning()
	second.Plan.Index = 10
	second.Plan.Actions[0].Reason = "no longer listed for 31s"
	first.Moves = &second
	code, out, errs := atTerminal(t, newFake(first), strings.NewReader("yes\n"), "apply")
	if code != 0 || strings.Count(out, "Only 'yes'") != 1 {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// onePerRead gives one line to each Read, as a terminal does.
type onePerRead struct{ lines []string }

func (o *onePerRead) Read(p []byte) (int, error) {
	if len(o.lines) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.lines[0])
	o.lines = o.lines[1:]
	return n, nil
}

func TestAskingEndsWithTheContext(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close() // lets the read that is under way go
	ctx, cancel := context.WithCancel(t.Context())
	out := &signalWriter{wrote: cancel} // Ctrl-C once the question is there
	err := (&streams{in: r, out: out, isTTY: true}).approve(ctx, "Sure?")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("approve = %v, want the context's error", err)
	}
	if !strings.HasSuffix(out.text.String(), "accepted: \n") {
		t.Errorf("what comes next stands behind the question: %q", &out.text)
	}
}

// signalWriter calls wrote when something is written.
type signalWriter struct {
	wrote func()
	text  strings.Builder
}

func (s *signalWriter) Write(p []byte) (int, error) { s.wrote(); return s.text.Write(p) }
