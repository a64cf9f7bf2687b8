package controller

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestAChangeWhoseEventIsLostIsReadAllTheSame: so much happens in the folder that the
// system keeps no more of it, as where the store lies beside the file.
func TestAChangeWhoseEventIsLostIsReadAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		over, failures := make(chan struct{}), make(chan error)
		go func() {
			defer close(over)
			w.ctl.reloadOn(ctx, nil, nil, nil, failures)
		}()
		w.settle(time.Second)
		text := strings.Replace(worldText, `peer "a"`, `peer "b"`, 1)
		if err := os.WriteFile(w.ctl.config.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		failures <- fsnotify.ErrEventOverflow
		w.settle(time.Second)
		if got := appNames(w.ctl.config); got != "b" {
			t.Errorf("in force are %s", got)
		}
		cancel()
		<-over
	})
}
