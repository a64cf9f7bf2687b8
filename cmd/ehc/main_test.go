package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestSecondSignalExitsAtOnce(t *testing.T) {
	signals := make(chan os.Signal, 2)
	var said strings.Builder
	canceled, code := 0, -1
	signals <- os.Interrupt
	signals <- syscall.SIGTERM
	heed(signals, &said, func() { canceled++ }, func(c int) { code = c })
	if canceled != 1 || code != codeError {
		t.Errorf("cancelled %d times, exit code %d; want once and %d", canceled, code, codeError)
	}
	if !strings.Contains(said.String(), "second signal (terminated): exiting at once") {
		t.Errorf("said %q", said.String())
	}
}

func TestWantsColor(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"a terminal is coloured":            {map[string]string{"TERM": "xterm"}, true},
		"one that does not say what it is":  {nil, true},
		"not a dumb one":                    {map[string]string{"TERM": "dumb"}, false},
		"not with NO_COLOR":                 {map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		"not with NO_COLOR set to anything": {map[string]string{"NO_COLOR": "0"}, false},
		"an empty NO_COLOR says nothing":    {map[string]string{"NO_COLOR": ""}, true},
	} {
		t.Run(name, func(t *testing.T) {
			env := func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }
			if got := wantsColor(env); got != c.want {
				t.Errorf("wantsColor = %v, want %v", got, c.want)
			}
		})
	}
}
