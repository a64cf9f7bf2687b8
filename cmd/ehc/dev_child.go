package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// child is a process that `ehc dev` has started.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startChild starts a program in a process group of its own, so that an
// interrupt from the terminal reaches only us, who then stop it in order. With a
// ready line, it returns once the program has printed that on its output.
func startChild(ctx context.Context, log io.Writer, ready string, env []string, name string, args ...string) (*child, error) {
	c := &child{cmd: exec.Command(name, args...), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stderr = log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	// A pipe that ends when we do: a child that reads it ends with us, however we end.
	if _, err := c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	up := make(chan bool, 1)
	go func() {
		defer close(c.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.TrimSpace(lines.Text()) == ready {
				up <- true
			} else {
				_, _ = fmt.Fprintln(log, lines.Text())
			}
		}
		close(up)
		_ = c.cmd.Wait() // how it ended is its own log's to say
	}()
	if ready == "" {
		return c, nil
	}
	select {
	case ok := <-up:
		if ok {
			return c, nil
		}
		return nil, fmt.Errorf("start %s: it ended before it was ready", name)
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), c.stop())
	}
}

// kill ends the process as a crash would and returns when it has ended.
func (c *child) kill() error {
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process %d: %w", c.cmd.Process.Pid, err)
	}
	<-c.done
	return nil
}

// stop asks the process to end, and kills it if it has not within ten seconds.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop process %d: %w", c.cmd.Process.Pid, err)
	}
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	select {
	case <-c.done:
		return nil
	case <-limit.C:
		return c.kill()
	}
}
