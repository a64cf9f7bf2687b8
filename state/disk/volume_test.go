package disk

import "testing"

func TestOnRootTellsTheVolumesApart(t *testing.T) {
	for dir, want := range map[string]bool{"/": true, "/proc": false, "/there/is/nothing": false} {
		if got := onRoot(dir); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
}
