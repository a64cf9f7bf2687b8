package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// Control sequences of a terminal (ECMA-48, xterm).
const (
	screenOn  = "\x1b[?1049h\x1b[?25l" // a screen of our own, and no cursor
	screenOff = "\x1b[?25h\x1b[?1049l"
	toTop     = "\x1b[H"
	endOfLine = "\x1b[K\r\n"
	endOfAll  = "\x1b[J"
)

// redrawEvery is how often ages are drawn anew when nothing else changes.
const redrawEvery = time.Second

// topEvents is how many events are kept for the view.
const topEvents = 200

type topCommand struct {
	streams *streams
	client  *api.Client
	view    topView
	sampled time.Time // when view.before was asked for
	taken   time.Time // and view.status
}

func newTopCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "top",
		Short: "Show the cluster on the terminal, live",
		Long: `Show the cluster on the terminal, live: apps and what is amiss with them, their
queues and how fast they move, nodes, those in trouble first, and the last events. It
follows the size of the terminal; q or an interrupt ends it.

Without a terminal it writes a line for each change instead.`,
		Example:     "  ehc top",
		Annotations: after("  0   q was pressed, or it was interrupted\n  1   an error, told on standard error", "  ehc status -o wide, for all of it"),
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := controllerOf(c, s)
			if err != nil {
				return err
			}
			defer client.Close()
			t := &topCommand{streams: s, client: client, view: topView{paint: paint(s.color)}}
			if s.raw == nil {
				return t.lines(c.Context())
			}
			return t.screen(c.Context())
		},
	}
}

// lines writes how things stand each time that this is another line.
func (t *topCommand) lines(ctx context.Context) error {
	last := ""
	for u := range t.updates(ctx) {
		if u.err != nil {
			return endOfWatch(ctx, u.err)
		}
		t.view.status = u.status
		if line := t.view.line(); line != last {
			if _, err := fmt.Fprintf(t.streams.out, "%s  %s\n", t.streams.now().UTC().Format(time.DateTime), line); err != nil {
				return err
			}
			last = line
		}
	}
	return nil
}

// screen draws until q is pressed or ctx ends, and leaves the terminal as it was.
func (t *topCommand) screen(ctx context.Context) (err error) {
	restore, err := t.streams.raw()
	if err != nil {
		return fmt.Errorf("prepare the terminal: %w", err)
	}
	defer restore()
	if _, err := io.WriteString(t.streams.out, screenOn); err != nil {
		return err
	}
	defer func() {
		_, failed := io.WriteString(t.streams.out, screenOff)
		err = errors.Join(err, failed)
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	keys, updates := t.keys(ctx), t.updates(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case key, ok := <-keys:
			if !ok || strings.ContainsAny(key, "qQ\x03\x04") { // ctrl-c and ctrl-d come as keys
				return nil
			}
		case u := <-updates:
			t.take(u)
		case <-resized:
		case <-tick.C:
		}
		if err := t.draw(); err != nil {
			return err
		}
	}
}

// keys are what a person presses. Its goroutine may outlive the command, as a read
// of a terminal cannot be called off: the process is about to end.
func (t *topCommand) keys(ctx context.Context) <-chan string {
	keys := make(chan string)
	go func() {
		defer close(keys)
		var b [16]byte
		for {
			n, err := interruptible{ctx, t.streams.in}.Read(b[:])
			if err != nil {
				return
			}
			select {
			case keys <- string(b[:n]):
			case <-ctx.Done():
				return
			}
		}
	}()
	return keys
}

// fresh is how things stand anew, or why that is not known.
type fresh struct {
	status  api.Status
	history api.History
	err     error
}

// updates are what changes, until ctx ends. After an error it asks again a moment
// later.
func (t *topCommand) updates(ctx context.Context) <-chan fresh {
	out := make(chan fresh)
	go func() {
		defer close(out)
		var seen api.Moment
		var last uint64
		for ctx.Err() == nil {
			u := t.ask(ctx, seen, last)
			if u.err == nil {
				seen, last = api.Moment{Revision: u.status.Revision}, u.history.Last
			}
			select {
			case out <- u:
			case <-ctx.Done():
			}
			if u.err != nil || u.status.Revision == 0 {
				pause(ctx, redrawEvery)
			}
			pause(ctx, watchGap)
		}
	}()
	return out
}

func (t *topCommand) ask(ctx context.Context, seen api.Moment, last uint64) (u fresh) {
	if u.status, u.err = t.client.WatchStatus(ctx, api.Watch{Seen: seen, Wait: watchFor}); u.err != nil {
		return u
	}
	u.history, u.err = t.client.History(ctx, api.HistoryQuery{After: last, Limit: topEvents})
	return u
}

// take notes what is fresh.
func (t *topCommand) take(u fresh) {
	if u.err != nil {
		t.view.trouble = "nothing newer: " + cause(u.err)
		return
	}
	v := &t.view
	if v.elapsed >= 2*redrawEvery || v.before.Revision == 0 {
		v.before, v.elapsed, t.sampled = v.status, 0, t.taken
	}
	t.taken = t.streams.now()
	v.elapsed = t.taken.Sub(t.sampled)
	v.status, v.trouble = u.status, ""
	v.history = append(v.history, u.history.Entries...)
	v.history = v.history[max(0, len(v.history)-topEvents):]
}

func (t *topCommand) draw() error {
	v := t.view
	v.now = t.streams.now()
	var err error
	if v.width, v.height, err = t.streams.size(); err != nil {
		return fmt.Errorf("size of the terminal: %w", err)
	}
	_, err = io.WriteString(t.streams.out, toTop+strings.Join(v.lines(), endOfLine)+endOfAll)
	return err
}
