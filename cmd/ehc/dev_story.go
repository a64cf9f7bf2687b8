package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"ehc/controller/api"
)

// story is what `ehc dev` shows: the main job from the first plan to a backlog
// that drains after a crash.
type story struct {
	*world
	out    io.Writer
	client *api.Client
	// emitted is what node A has accepted, in order.
	emitted []entry
}

// tell runs the story and returns an error if anything came out otherwise than
// it should.
func (s *story) tell(ctx context.Context) error {
	steps := []func(context.Context) error{s.start, s.planAndApply, s.deliver, s.crash, s.recover, s.compare}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

func (s *story) start(ctx context.Context) error {
	if err := s.startA(ctx); err != nil {
		return err
	}
	if err := s.startB(ctx); err != nil {
		return err
	}
	what := "a second ehc that plays the remote app"
	if s.kind == "beam" {
		what = "an Elixir node with the remote app's handler"
	}
	s.say("A cluster on this machine:")
	s.say("  DNS      %s, where %s is %s", s.dns.Addr(), devName, s.host)
	s.say("  node A   ehc@127.0.0.1, the controller")
	s.say("  node B   %s, %s; its name is in EPMD only", s.nodeB(), what)
	s.say("  files    %s", s.dir)
	return nil
}

func (s *story) planAndApply(ctx context.Context) error {
	s.say("\n1. cluster.hcl declares the app. What would that do?\n")
	if err := s.ehc(ctx, "plan", "-config", s.config()); err != nil {
		return err
	}
	s.say("\n2. Do it.\n")
	return s.ehc(ctx, "apply", "-config", s.config(), "-auto-approve")
}

func (s *story) deliver(ctx context.Context) error {
	s.say("\n3. Events reach the remote app at once.\n")
	if err := s.ehc(ctx, "emit", "increment_visit", "page_id=/about", "delta=1", "-id", "first", "-wait", "delivered"); err != nil {
		return err
	}
	s.emitted = append(s.emitted, entry{id: "first", kind: "increment_visit", key: "/about", delta: 1})
	if err := s.emit(ctx, 20); err != nil {
		return err
	}
	if err := s.untilPending(ctx, 0); err != nil {
		return err
	}
	return s.ehc(ctx, "status")
}

func (s *story) crash(ctx context.Context) error {
	s.say("\n4. Node B dies (kill -9). Events are kept on disk.\n")
	if err := s.b.kill(); err != nil {
		return err
	}
	err := until(ctx, "node B to be seen down", func() (bool, error) {
		st, err := s.client.Status(ctx)
		up := slices.ContainsFunc(st.Nodes, func(n api.Node) bool { return n.Phase == "up" })
		return err == nil && !up, err
	})
	if err != nil {
		return err
	}
	if err := s.emit(ctx, 30); err != nil {
		return err
	}
	return s.ehc(ctx, "outbox", "list", "-limit", "3")
}

func (s *story) recover(ctx context.Context) error {
	s.say("\n5. Node B is back. It is found, connected, and gets what waited, in order.\n")
	if err := s.startB(ctx); err != nil {
		return err
	}
	if err := s.untilPending(ctx, 0); err != nil {
		return err
	}
	return s.ehc(ctx, "status")
}

// compare holds what node A accepted against what node B has.
func (s *story) compare(ctx context.Context) error {
	s.say("\n6. The counts on both sides:\n")
	got, err := readJournal(s.journal())
	if err != nil {
		return err
	}
	got = slices.DeleteFunc(got, func(e entry) bool { return e.again }) // an answer was late, and the remote app knew the id
	want, have := counts(s.emitted), counts(got)
	s.say("  %-16s %8s %8s", "key", "emitted", "arrived")
	for _, key := range slices.Sorted(maps.Keys(want)) {
		s.say("  %-16s %8d %8d", key, want[key], have[key])
	}
	s.say("  %-16s %8d %8d", "events", len(s.emitted), len(got))
	for i, e := range s.emitted {
		if i >= len(got) || got[i] != e {
			return fmt.Errorf("event %d of %d did not arrive in its place", i+1, len(s.emitted))
		}
	}
	if len(got) != len(s.emitted) || !maps.Equal(want, have) {
		return errors.New("the counts differ")
	}
	s.say("\nEvery event arrived once, in order. The remote app is asked for a counter by\n")
	return s.ehc(ctx, "count", "visits:/blog")
}

// kinds are the events of the story, and what the remote app makes of them.
var kinds = []struct {
	event api.Event
	entry entry
}{
	{
		api.Event{Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`)},
		entry{kind: "increment_visit", key: "/blog", delta: 1},
	},
	{
		api.Event{Type: "update_likes", Payload: []byte(`{"post_id":"hello-likes","delta":2}`)},
		entry{kind: "update_likes", key: "hello-likes", delta: 2},
	},
	{
		api.Event{Type: "add_comment", Payload: []byte(`{"post_id":"hello-comments","comment":{"author":"Ada","body":"Nice."}}`)},
		entry{kind: "add_comment", key: "hello-comments", delta: 1},
	},
}

// emit emits n events of all kinds in turn.
func (s *story) emit(ctx context.Context, n int) error {
	var events []api.Event
	for i := range n {
		events = append(events, kinds[i%len(kinds)].event)
	}
	answer, err := s.client.Emit(ctx, api.EmitRequest{Events: events})
	if err != nil {
		return err
	}
	for i, id := range answer.IDs {
		e := kinds[i%len(kinds)].entry
		e.id = id
		s.emitted = append(s.emitted, e)
	}
	s.say("  %d events emitted", n)
	return nil
}

func (s *story) untilPending(ctx context.Context, n int) error {
	return until(ctx, "the outbox to be delivered", func() (bool, error) {
		o, err := s.client.Outbox(ctx, api.OutboxQuery{})
		if err != nil {
			return false, err
		}
		pending := 0
		for _, a := range o.Apps {
			pending += a.Pending
		}
		return pending == n, nil
	})
}

// ehc runs a command of this program, as a person would, and shows what it prints.
func (s *story) ehc(ctx context.Context, args ...string) error {
	s.say("  $ ehc %s", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, s.exe, args...)
	cmd.Env = append(cmd.Environ(), s.env()...)
	text, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Fprintf(s.out, "  %s", line)
	}
	if err != nil {
		return fmt.Errorf("ehc %s: %w", args[0], err)
	}
	return nil
}
