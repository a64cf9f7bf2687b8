package spec

import (
	"slices"

	"ehc/state"
)

// Changed names the settings that are fixed at start and differ between two
// specs, as they stand in the file: "node.name". For those, and only those, a
// new file needs a restart. It is empty if there are none.
func Changed(old, new state.Spec) []string {
	a, b := old.Node, new.Node
	var changed []string
	for _, setting := range []struct {
		name string
		same bool
	}{
		{"node.name", a.Name == b.Name},
		{"node.cookie", slices.Equal(a.Cookies, b.Cookies)},
		{"node.listen", a.Listen == b.Listen},
		{"node.port", a.Port == b.Port},
		{"node.epmd_port", a.EPMDPort == b.EPMDPort},
		{"node.tick", a.Tick == b.Tick},
		{"node.tls", a.TLS == b.TLS},
		{"node.visible", a.Hidden == b.Hidden},
		{"telemetry.listen", old.Telemetry.Listen == new.Telemetry.Listen},
		{"telemetry.traces", old.Telemetry.Traces == new.Telemetry.Traces},
		{"api.listen", old.API.Listen == new.API.Listen},
		{"api.token", old.API.Token == new.API.Token},
		{"api.cert_file", old.API.CertFile == new.API.CertFile},
		{"api.key_file", old.API.KeyFile == new.API.KeyFile},
	} {
		if !setting.same {
			changed = append(changed, setting.name)
		}
	}
	return append(changed, changedReceive(old.Receive, new.Receive)...)
}

// changedReceive is Changed for what ehc answers to. How long it remembers events
// is not fixed.
func changedReceive(a, b *state.Receive) []string {
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil || b == nil:
		return []string{"receive"}
	}
	var changed []string
	if a.Handler != b.Handler {
		changed = append(changed, "receive.handler")
	}
	if a.Batch != b.Batch {
		changed = append(changed, "receive.batch_handler")
	}
	if !slices.Equal(a.Counts, b.Counts) {
		changed = append(changed, "receive.counts")
	}
	return changed
}
