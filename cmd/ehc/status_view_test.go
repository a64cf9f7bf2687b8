package main

import (
	"testing"
	"time"

	"ehc/controller/api"
)

func TestStatusText(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	status := api.Status{
		Index: 418, Node: "ehc-1@fdaa::1", Cookie: "1a2b3c4d", Version: "v0.1.0",
		Config: api.Config{File: "/etc/cluster.hcl", AppliedAt: now.Add(-3 * time.Hour), Generation: 4},
		Nodes: []api.Node{
			{Node: "a@fdaa::2", App: "x", Phase: "up", Since: now.Add(-41 * time.Second), Creation: 17, Release: "27", Listed: true},
			{Node: "b@fdaa::3", App: "x", Phase: "down", Since: now.Add(-3 * time.Minute), Reason: "CookieRejected",
				Message: "cookie rejected", RetryAt: now.Add(9 * time.Second), Listed: true},
			{Node: "c@fdaa::4", App: "x", Phase: "down", Listed: true},
			{Node: "shell@fdaa::5", Phase: "up", Since: now.Add(-72 * time.Hour), Creation: 3},
		},
		Apps: []api.App{{App: "x", Conditions: []api.Condition{
			{Type: "Discovered", Status: "True", Reason: "Listed", Message: "3 listed"},
			{Type: "Connected", Status: "False", Reason: "NotConnected", Message: "1 of 3; b@fdaa::3: cookie rejected", Since: now.Add(-3 * time.Minute)},
		}}},
		Outbox: []api.OutboxApp{{App: "x", Pending: 3, Bytes: 120, Oldest: now.Add(-time.Hour), RetryAt: now.Add(time.Second)}},
	}
	failing := status
	failing.Config.Error = "cluster.hcl:3:1: error: unknown block\nand more"
	failing.Config.RestartRequired = []string{"node.name"}
	for name, v := range map[string]statusView{
		"plain":     {status: status, now: now},
		"wide":      {status: status, now: now, wide: true},
		"in-colour": {status: failing, now: now, paint: true},
		"empty":     {status: api.Status{}, now: now},
	} {
		t.Run(name, func(t *testing.T) { golden(t, "status-"+name+".txt", v.text()) })
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1500 * time.Millisecond: "1s", 119 * time.Second: "119s", 2 * time.Minute: "2m",
		119 * time.Minute: "119m", 2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 41*time.Millisecond + 300*time.Microsecond: "41ms", 1234 * time.Millisecond: "1.2s", 70 * time.Second: "1m10s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %s, want %s", d, got, want)
		}
	}
}
