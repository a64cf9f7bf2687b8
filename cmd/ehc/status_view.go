package main

import (
	"fmt"
	"strings"
	"time"

	"ehc/controller/api"
)

// statusView is a status as people read it.
type statusView struct {
	status api.Status
	now    time.Time
	wide   bool // times in full, and what only an expert asks for
	paint  paint
}

func (v statusView) text() string {
	var b strings.Builder
	b.WriteString(v.verdict())
	b.WriteString(v.header())
	b.WriteString(v.section("NODES", v.nodes()))
	b.WriteString(v.section("APPS", v.apps()))
	b.WriteString(v.section("OUTBOX", queueTable(v.status.Outbox, v.now, v.wide)))
	return b.String()
}

// verdict says in a line what one wants to know first, and in more what is amiss.
func (v statusView) verdict() string {
	var amiss []string
	for _, a := range v.status.Apps {
		for _, c := range a.Conditions {
			if c.Status == "False" {
				amiss = append(amiss, fmt.Sprintf("%s is not %s (%s%s): %s", a.App, c.Type, c.Reason, v.lasting(c.Since), c.Message))
			}
		}
	}
	if v.status.Config.Error != "" {
		amiss = append(amiss, "the newest version of the file is not in force")
	}
	if len(amiss) == 0 {
		return v.paint.in(green, "All is as the file asks.") + "\n\n"
	}
	text := v.paint.in(red, "Not as the file asks:") + "\n"
	for _, line := range amiss {
		text += "  " + printable(line) + "\n"
	}
	return text + "\n"
}

// lasting is for how long something holds, after a comma.
func (v statusView) lasting(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return ", for " + ago(v.now.Sub(since))
}

func (v statusView) header() string {
	s := v.status
	lines := table{}
	lines.add("node", s.Node)
	lines.add("cookie", s.Cookie+" (a fingerprint)")
	lines.add("version", s.Version)
	lines.add("index", fmt.Sprint(s.Index))
	lines.add("config", fmt.Sprintf("%s, generation %d, applied %s", s.Config.File, s.Config.Generation, v.when(s.Config.AppliedAt)))
	text := lines.text()
	if s.Config.Error != "" {
		text += v.paint.in(red, "The newest version of the file is not in force:") + " " + printableLines(s.Config.Error) + "\n"
	}
	for _, name := range s.Config.RestartRequired {
		text += v.paint.in(yellow, "Restart required:") + " " + printable(name) + "\n"
	}
	for _, x := range s.Suspended {
		text += fmt.Sprintf("%s %s, %s; to go on: ehc resume %s\n", v.paint.in(yellow, "Suspended:"), printable(x.App), v.when(x.Since), quoted(x.App))
	}
	for _, w := range s.Warnings {
		text += v.paint.in(yellow, "Warning:") + " " + printable(w) + "\n"
	}
	return text
}

func (v statusView) section(title string, t table) string {
	if len(t.rows) < 2 { // nothing but its head
		return "\n" + v.paint.in(bold, title) + "\n  none\n"
	}
	return "\n" + v.paint.in(bold, title) + "\n" + t.text()
}

func (v statusView) nodes() table {
	t := table{indent: true}
	t.add(v.widen([]string{"NODE", "APP", "PHASE", "SINCE", "LISTED"}, "CREATION", "OTP", "RETRY", "REASON", "MESSAGE")...)
	for _, n := range v.status.Nodes {
		row := []string{n.Node, orElse(n.App, "-"), n.Phase, v.when(n.Since), yesNo(n.Listed)}
		t.add(v.widen(row, fmt.Sprint(n.Creation), orElse(n.Release, "-"), v.when(n.RetryAt), orElse(n.Reason, "-"), n.Message)...)
	}
	return t
}

// widen adds the columns that only a wide table has before the last two.
func (v statusView) widen(row []string, creation, release, retry, reason, message string) []string {
	if v.wide {
		row = append(row, creation, release, retry)
	}
	return append(row, reason, message)
}

func (v statusView) apps() table {
	t := table{indent: true}
	// Of which file in force a condition speaks is of use only to an expert.
	row := func(app, kind, status, since, generation, reason, message string) {
		cells := []string{app, kind, status, since}
		if v.wide {
			cells = append(cells, generation)
		}
		t.add(append(cells, reason, message)...)
	}
	row("APP", "CONDITION", "STATUS", "SINCE", "GENERATION", "REASON", "MESSAGE")
	for _, a := range v.status.Apps {
		name := a.App
		for _, c := range a.Conditions {
			row(name, c.Type, c.Status, v.when(c.Since), fmt.Sprint(c.ObservedGeneration), c.Reason, c.Message)
			name = ""
		}
		if len(a.Conditions) == 0 {
			row(name, "-", "-", "-", "-", "-", "")
		}
	}
	return t
}

// when is a moment: its age, or all of it in a wide table.
func (v statusView) when(at time.Time) string { return when(at, v.now, v.wide) }

func when(at, now time.Time, wide bool) string {
	switch {
	case at.IsZero():
		return "-"
	case wide:
		return at.UTC().Format(time.RFC3339)
	case at.After(now):
		return "in " + ago(at.Sub(now))
	}
	return ago(now.Sub(at)) + " ago"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// queueTable is the table of the apps' queues.
func queueTable(queues []api.OutboxApp, now time.Time, wide bool) table {
	t := table{indent: true}
	t.add("APP", "PENDING", "DEAD", "BYTES", "OLDEST", "RETRY", "REASON", "MESSAGE")
	for _, q := range queues {
		t.add(q.App, fmt.Sprint(q.Pending), fmt.Sprint(q.Dead), fmt.Sprint(q.Bytes),
			when(q.Oldest, now, wide), when(q.RetryAt, now, wide), orElse(q.Reason, "-"), q.Message)
	}
	return t
}
