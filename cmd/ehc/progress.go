package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ehc/controller/api"
)

const (
	pollEvery  = 100 * time.Millisecond
	stillEvery = 10 * time.Second // how often an action that takes long is told of
)

// progress follows what a controller does after an apply, and tells of each
// action in a line of its own:
//
//   - connect  billing-01J0@fdaa:0:1::9   connected after 41ms
type progress struct {
	streams *streams
	client  *api.Client
	start   time.Time
	width   int
	tasks   []*task
	pruned  map[string]bool // nodes that were to be pruned at any time
	target  string          // the app or node to wait for; empty: all
	done    int
	bar     bool // a line is to be drawn over
}

// task is an action that has not come to its end.
type task struct {
	api.Action
	told int // times that it was told to take long
}

func newProgress(s *streams, client *api.Client, plan api.Plan, start time.Time) *progress {
	p := &progress{streams: s, client: client, start: start, width: nodeWidth(plan), pruned: map[string]bool{}}
	p.note(plan)
	return p
}

// follow returns nil once the cluster is as the file in force asks, and an error
// that says what is not if that takes longer than wait or ctx ends. It looks at
// least once.
func (p *progress) follow(ctx context.Context, wait time.Duration) error {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	left := []string{"the controller has not said yet how things stand"}
	for {
		status, plan, err := p.poll(ctx)
		if ctx.Err() != nil {
			p.clear()
			return cutOff("interrupted", left)
		}
		if err != nil {
			p.clear()
			return fmt.Errorf("applied, but what became of it is not known: %w", err)
		}
		if err := p.tell(status, plan); err != nil {
			return err
		}
		if left = unconverged(status, plan, p.pruned); len(left) == 0 {
			p.clear()
			_, err := fmt.Fprintf(p.streams.out, "\nConverged after %s.\n", short(p.streams.now().Sub(p.start)))
			return err
		}
		p.draw(len(left))
		select {
		case <-time.After(pollEvery):
		case <-limit.C:
			p.clear()
			return cutOff(fmt.Sprintf("not converged after %s", wait), left)
		case <-ctx.Done():
			p.clear()
			return cutOff("interrupted", left)
		}
	}
}

func (p *progress) poll(ctx context.Context) (api.Status, api.Plan, error) {
	status, err := limited(ctx, p.client.Status)
	if err != nil {
		return api.Status{}, api.Plan{}, err
	}
	plan, err := limited(ctx, func(ctx context.Context) (api.Plan, error) {
		return p.client.Plan(ctx, api.PlanRequest{})
	})
	if p.target != "" {
		status, plan = narrowed(p.target, status, plan)
	}
	return status, plan, err
}

// cutOff is the error of a follow that did not see the end.
func cutOff(why string, left []string) error {
	return errors.New(why + "; the file is in force and the controller goes on with:\n  " +
		strings.Join(left, "\n  ") + "\nTo see how far it is: ehc status")
}

// note adds the actions of plan that are new.
func (p *progress) note(plan api.Plan) {
	known := map[[2]string]bool{}
	for _, t := range p.tasks {
		known[[2]string{t.Kind, t.Node}] = true
	}
	for _, a := range plan.Actions {
		if a.Kind == "prune" {
			p.pruned[a.Node] = true
		}
		if !known[[2]string{a.Kind, a.Node}] {
			p.tasks = append(p.tasks, &task{Action: a})
		}
	}
}

// tell writes a line for each action that has ended and for each that takes
// long.
func (p *progress) tell(status api.Status, plan api.Plan) error {
	p.note(plan)
	now := p.streams.now()
	var rest []*task
	for _, t := range p.tasks {
		text := ended(t.Action, status, plan, p.start, now)
		if text != "" {
			p.done++
		} else {
			rest = append(rest, t)
			text = t.still(status, now.Sub(p.start))
		}
		if text == "" {
			continue
		}
		p.clear()
		p.width = max(p.width, len([]rune(t.Node)))
		if _, err := fmt.Fprint(p.streams.out, planLine(paint(p.streams.color), t.Kind, t.Node, p.width, text)); err != nil {
			return err
		}
	}
	p.tasks = rest
	return nil
}

// spinner turns while a cluster converges.
const spinner = `|/-\`

// draw writes, on a terminal, a line of how far it is, which the next one replaces.
func (p *progress) draw(left int) {
	if !p.streams.isTTY {
		return
	}
	elapsed := p.streams.now().Sub(p.start)
	turn := spinner[int(elapsed/pollEvery)%len(spinner)]
	_, _ = fmt.Fprintf(p.streams.out, "\r\x1b[K  %c %d done, %d to go, after %s", turn, p.done, left, short(elapsed))
	p.bar = true
}

// clear takes that line away.
func (p *progress) clear() {
	if p.bar {
		_, _ = fmt.Fprint(p.streams.out, "\r\x1b[K")
		p.bar = false
	}
}

// still says, now and then, that an action takes long and why.
func (t *task) still(status api.Status, elapsed time.Duration) string {
	if elapsed < time.Duration(t.told+1)*stillEvery {
		return ""
	}
	t.told = int(elapsed / stillEvery)
	text := "not yet after " + short(elapsed)
	if n, ok := nodeOf(status, t.Node); ok && n.Message != "" {
		text += ": " + n.Message
	}
	return text
}
