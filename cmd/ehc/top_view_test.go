package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ehc/controller/api"
)

func topScene() topView {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	s := api.Status{
		Index: 418, Revision: 9000, Node: "ehc-1@fdaa::1", Version: "v0.1.0", Config: api.Config{Generation: 4},
		Apps: []api.App{
			{App: "phoenix", Conditions: []api.Condition{{Type: "Connected", Status: "False", Reason: "NotConnected", Message: "1 of 2; b@fdaa::3: cookie rejected", Since: now.Add(-3 * time.Minute)}}},
			{App: "billing", Conditions: []api.Condition{{Type: "Connected", Status: "True"}}},
		},
		Nodes: []api.Node{
			{Node: "a@fdaa::2", App: "phoenix", Phase: "up", Since: now.Add(-time.Hour), Release: "27", Listed: true},
			{Node: "b@fdaa::3", App: "phoenix", Phase: "down", Since: now.Add(-3 * time.Minute), Reason: "CookieRejected", Message: "cookie rejected", Listed: true},
			{Node: "c@fdaa::4", App: "billing", Phase: "up", Since: now.Add(-time.Hour), Listed: true},
		},
		Outbox: []api.OutboxApp{{App: "phoenix", Pending: 300, Dead: 2, Oldest: now.Add(-time.Minute)}},
	}
	v := topView{
		status: s, now: now, width: 100, height: 24, elapsed: 2 * time.Second,
		before: api.Status{Outbox: []api.OutboxApp{{App: "phoenix", Pending: 500}}},
	}
	for i := range 30 {
		v.history = append(v.history, api.HistoryEntry{
			ID: uint64(i), At: now.Add(time.Duration(i-30) * time.Second), Kind: "DialFailed", Warning: i%2 == 0, App: "phoenix", Node: "b@fdaa::3",
			Reason: "CookieRejected", Message: fmt.Sprintf("try %d", i),
		})
	}
	return v
}

func TestTopText(t *testing.T) {
	narrow := topScene()
	narrow.width, narrow.height = 40, 12
	many := topScene()
	for i := range 50 {
		many.status.Nodes = append(many.status.Nodes, api.Node{Node: fmt.Sprintf("n%02d@h", i), App: "billing", Phase: "up", Listed: true})
	}
	colours := topScene()
	colours.paint, colours.trouble = true, "nothing newer: no controller answers"
	long := topScene() // as on Fly, on a terminal as wide as they come
	long.width = 80
	for i, n := range long.status.Nodes {
		long.status.Nodes[i].Node = n.App + "-aayushsahu-01JDQ8V0Y2@fdaa:0:18:a7b:2f:1:5a3c:" + n.Node[:1]
	}
	for name, v := range map[string]topView{"wide": topScene(), "narrow": narrow, "many": many, "in-colour": colours, "long": long} {
		t.Run(name, func(t *testing.T) { golden(t, "top-"+name+".txt", strings.Join(v.lines(), "\n")+"\n") })
	}
}

// TestTopNeverLeavesTheScreen: whatever its size is.
func TestTopNeverLeavesTheScreen(t *testing.T) {
	for height := range 40 {
		for _, width := range []int{0, 1, 7, 80, 300} {
			v := topScene()
			v.width, v.height = width, height
			lines := v.lines()
			if len(lines) > max(1, height) {
				t.Errorf("%d×%d: %d lines", width, height, len(lines))
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > max(1, width) {
					t.Errorf("%d×%d: a line of %d: %q", width, height, n, line)
				}
			}
		}
	}
}
