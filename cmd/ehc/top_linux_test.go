package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ehc/controller/api"
)

// pty is a terminal of our own, and what was written to it.
type pty struct {
	master, slave *os.File
	mu            sync.Mutex
	text          strings.Builder
	read          chan struct{} // closed at its end
}

func newPty(t *testing.T) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{master: master, slave: slave, read: make(chan struct{})}
	p.resize(t, 24, 100)
	go func() {
		defer close(p.read)
		var b [4096]byte
		for {
			n, err := master.Read(b[:])
			p.mu.Lock()
			p.text.Write(b[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
		<-p.read
	})
	return p
}

func (p *pty) resize(t *testing.T, rows, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

// until waits for a text to be written after what was there before, and returns all.
func (p *pty) until(t *testing.T, after int, text string) string {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		all := p.text.String()
		p.mu.Unlock()
		if strings.Contains(all[after:], text) {
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %q in %q", text, all[after:])
		}
	}
}

// TestTopOnATerminal: it is drawn, follows changes and the size, q ends it, and the
// terminal is as it was.
func TestTopOnATerminal(t *testing.T) {
	f := newFake(scene{Status: topScene().status})
	dir, err := os.MkdirTemp("", "ehc-top-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	at, stop, err := f.serve(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stop() }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := newPty(t)
	before, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is an ehc if it is called by that name.
	ehc := dir + "/ehc"
	if err := os.Symlink(self, ehc); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(ehc, "top")
	cmd.Env = append(os.Environ(), "EHC_API="+at.String(), "TERM=xterm", "NO_COLOR=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.slave, p.slave, p.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()

	all := p.until(t, 0, "nodes 2/3 up")
	if !strings.HasPrefix(all, screenOn) || !strings.Contains(all, "b@fdaa::3") {
		t.Errorf("drawn %q", all)
	}
	later := topScene().status
	later.Nodes[1].Phase = "up"
	f.set(scene{Status: later, Events: []api.HistoryEntry{{ID: 1, Kind: "Connected", Node: "b@fdaa::3", Message: "incarnation 7"}}})
	all = p.until(t, len(all), "nodes 3/3 up")
	all = p.until(t, len(all)-1, "incarnation 7")
	p.resize(t, 10, 40)
	p.until(t, len(all), "…")
	if _, err := p.master.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("q ends it with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("q does not end it")
	}
	p.until(t, 0, screenOff)
	after, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal is %+v, was %+v (%v)", after, before, err)
	}
}
