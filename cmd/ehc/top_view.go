package main

import (
	"fmt"
	"strings"
	"time"

	"ehc/controller/api"
)

// topView is the live view of a cluster: what fits on a screen.
type topView struct {
	status        api.Status
	history       []api.HistoryEntry // oldest first
	before        api.Status         // to work out how fast queues move; zero at first
	elapsed       time.Duration      // between the two
	now           time.Time
	width, height int
	paint         paint
	trouble       string // why there is nothing newer; empty if there is
}

// line is how things stand, in one line.
func (v topView) line() string {
	up, listed, amiss, waiting, dead := 0, 0, 0, 0, 0
	for _, n := range v.status.Nodes {
		if n.Listed {
			listed++
			if n.Phase == "up" {
				up++
			}
		}
	}
	for _, a := range v.status.Apps {
		if worst(a).Type != "" {
			amiss++
		}
	}
	for _, q := range v.status.Outbox {
		waiting, dead = waiting+q.Pending, dead+q.Dead
	}
	return fmt.Sprintf("nodes %d/%d up   apps %d/%d as asked   %d waiting, %d dead", up, listed,
		len(v.status.Apps)-amiss, len(v.status.Apps), waiting, dead)
}

// lines are the whole view, which is as high and at most as wide as the screen: apps
// first, then nodes, those in trouble before others, then the last events.
func (v topView) lines() []string {
	s := v.status
	lines := []string{
		v.paint.in(bold, v.fit(fmt.Sprintf("ehc top  %s  %s  generation %d  index %d  %s", s.Node, s.Version, s.Config.Generation, s.Index, v.now.UTC().Format(time.TimeOnly)))),
		v.fit(v.line()),
	}
	if v.trouble != "" {
		lines = append(lines, v.paint.in(red, v.fit(v.trouble)))
	}
	lines = append(lines, "")
	lines = append(lines, v.block(v.apps().squeezed(v.width, 0), max(2, v.height/3))...)
	lines = append(lines, v.block(v.nodes().squeezed(v.width, 0, 1), max(2, v.height/3))...)
	room := v.height - len(lines) - 1 // the last line is for the keys
	events := v.history[max(0, len(v.history)-max(0, room)):]
	for i := len(events) - 1; i >= 0; i-- {
		lines = append(lines, v.event(events[i]))
	}
	for len(lines) < v.height-1 {
		lines = append(lines, "")
	}
	lines = lines[:max(0, v.height-1)]
	return append(lines, v.paint.in(cyan, v.fit("q quits   newest event first   ehc explain REASON")))
}

// block is a table, cut to a number of lines, and an empty line.
func (v topView) block(t table, most int) []string {
	all := strings.Split(strings.TrimRight(t.text(), "\n"), "\n")
	if more := len(all) - most; more > 0 {
		all = append(all[:most-1], fmt.Sprintf("  … and %d more", more+1))
	}
	for i, line := range all {
		all[i] = v.fit(line)
		switch {
		case i == 0:
			all[i] = v.paint.in(bold, all[i])
		case strings.Contains(line, "  down ") || strings.Contains(line, "  NOT "):
			all[i] = v.paint.in(red, all[i])
		}
	}
	return append(all, "")
}

func (v topView) apps() table {
	t := table{}
	t.add("APP", "UP", "", "WAITING", "RATE", "DEAD", "OLDEST", "WHY")
	for _, a := range v.status.Apps {
		x, bad := summary(v.status, a), worst(a)
		mark, why := "ok", ""
		if bad.Type != "" {
			mark, why = "NOT "+bad.Type, bad.Reason+" for "+ago(v.now.Sub(bad.Since))+": "+bad.Message
		}
		waiting, rate, dead, oldest := "-", "-", "-", "-"
		if q := x.Outbox; q != nil {
			waiting, rate, dead, oldest = fmt.Sprint(q.Pending), v.rate(*q), fmt.Sprint(q.Dead), when(q.Oldest, v.now, false)
		}
		t.add(a.App, fmt.Sprintf("%d/%d", x.Up, x.Listed), mark, waiting, rate, dead, oldest, why)
	}
	return t
}

// rate is by how many events a second a queue grows.
func (v topView) rate(q api.OutboxApp) string {
	for _, was := range v.before.Outbox {
		if was.App == q.App && v.elapsed > 0 {
			return fmt.Sprintf("%+.0f/s", float64(q.Pending-was.Pending)/v.elapsed.Seconds())
		}
	}
	return "-"
}

// nodes are those in trouble, then the others.
func (v topView) nodes() table {
	t := table{}
	t.add("NODE", "APP", "PHASE", "SINCE", "OTP", "WHY")
	for _, trouble := range []bool{true, false} {
		for _, n := range v.status.Nodes {
			if (n.Listed != (n.Phase == "up")) != trouble {
				continue
			}
			why := orElse(n.Reason, "")
			if n.Message != "" {
				why += ": " + n.Message
			}
			if n.Phase == "up" && !n.Listed {
				why = "not listed"
			}
			t.add(n.Node, orElse(n.App, "-"), n.Phase, when(n.Since, v.now, false), orElse(n.Release, "-"), why)
		}
	}
	return t
}

func (v topView) event(x api.HistoryEntry) string {
	line := v.fit(strings.TrimRight(happening(x, false), "\n"))
	if x.Warning {
		return v.paint.in(yellow, line)
	}
	return line
}

// fit is a line that is not wider than the screen.
func (v topView) fit(line string) string {
	return cut(printable(line), v.width)
}
