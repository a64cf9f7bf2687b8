// Package box_test is a Fly network in a box: ehc and real Elixir nodes, each on a
// Machine of its own, with an address in fdaa::/16, an EPMD, and the .internal
// names of a resolver at fdaa::3.
//
//	          hub (a bridge in a namespace of its own)
//	   ┌───────────┬───────────┬───────────┐
//	fdaa::3     Machine     Machine     Machine     namespaces, each with eth0
//	resolver    ehc run     epmd        epmd
//	                        elixir      elixir
//
// What is real: the kernel's network stack, EPMD, the nodes and their names, the
// binary of ehc, its files and its commands. What is played: the resolver, by what
// Fly documents of its names, and who starts and stops Machines.
//
// Nothing of it has a name on this computer, and nothing outlives the test: the
// namespaces end with the last process in them, and processes die with the thread
// that started them.
package box_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// space is a network namespace without a name, and a thread that is in it.
type space struct {
	do    chan func()
	ended chan struct{}
	file  *os.File // holds the namespace open
}

// newSpace makes a namespace that ends with the test.
func newSpace(t testing.TB) *space {
	t.Helper()
	s := &space{do: make(chan func()), ended: make(chan struct{})}
	entered := make(chan error)
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		err := s.enter()
		entered <- err
		if err != nil {
			return
		}
		for f := range s.do {
			f()
		}
	}()
	if err := <-entered; err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	t.Cleanup(func() {
		close(s.do)
		<-s.ended
		_ = s.file.Close()
	})
	if out, err := s.output("ip", "link", "set", "lo", "up"); err != nil {
		t.Fatalf("set up loopback: %v: %s", err, out)
	}
	return s
}

func (s *space) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	s.file, err = os.Open("/proc/thread-self/ns/net")
	return err
}

// path names the namespace to ip, which is a child of ours.
func (s *space) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// in runs f in the namespace: what f opens or starts is there.
func (s *space) in(f func()) {
	var done sync.WaitGroup
	done.Add(1)
	s.do <- func() { defer done.Done(); f() }
	done.Wait()
}

// start starts cmd in the namespace. It dies with us, however we die.
func (s *space) start(cmd *exec.Cmd) (err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	s.in(func() { err = cmd.Start() })
	return err
}

// output runs a program to its end.
func (s *space) output(name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := s.start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return strings.TrimSpace(out.String()), err
}

// needBox says that the test builds a network. Others than root skip it; for root
// what is missing is a failure.
func needBox(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a network and runs real Elixir nodes on it")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make the network namespaces that stand for Machines")
	}
	for _, program := range []string{"ip", "bridge"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed (on Debian: apt-get install iproute2), or run with -short", program)
		}
	}
}
