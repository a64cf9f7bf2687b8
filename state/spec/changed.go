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
		{"node.visible", a.Hidden == b.Hidden},
	} {
		if !setting.same {
			changed = append(changed, setting.name)
		}
	}
	return changed
}
