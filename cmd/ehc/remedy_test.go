package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"ehc/controller/api"
	"ehc/state/disk"
	"ehc/transport/epmd"
)

func TestAnErrorHasItsRemedyBelowIt(t *testing.T) {
	call := func(name string, errno syscall.Errno) error { return os.NewSyscallError(name, errno) }
	for _, c := range []struct {
		err        error
		has, lacks string
	}{
		{fmt.Errorf("%w at unix:/d/ehc.sock: %w", api.ErrNoController, call("connect", syscall.ENOENT)), "Start one: ehc run", "sudo"},
		{fmt.Errorf("%w at unix:/d/ehc.sock: %w", api.ErrNoController, call("connect", syscall.EACCES)), "as by sudo", "Start one"},
		{fmt.Errorf("open store /d: %w: open /d/ehc.db: malformed", disk.ErrDamaged), "move ehc.db, ehc.db-wal and ehc.db-shm elsewhere", "Start"},
		{&net.OpError{Op: "listen", Net: "tcp", Err: call("bind", syscall.EADDRNOTAVAIL)}, "host in name of the node block", "Start"},
		{fmt.Errorf("the controller has not answered in time: %w", api.ErrLate), "is that process stopped", "Start one"},
		{fmt.Errorf("wait for the outbox to be delivered: %w", context.DeadlineExceeded), "Error: wait", "is that process stopped"},
		{fmt.Errorf("start node a@h: %w", &epmd.TakenError{}), "put another name into the node block", "Start"},
		{errors.New("anything else"), "Error: anything else", "\n\n"},
	} {
		var out strings.Builder
		if code := (&streams{err: &out}).report(c.err); code != codeError {
			t.Errorf("%v: exit code %d", c.err, code)
		}
		if got := out.String(); !strings.Contains(got, c.has) || strings.Contains(got, c.lacks) {
			t.Errorf("%v is reported as:\n%s", c.err, got)
		}
	}
}
