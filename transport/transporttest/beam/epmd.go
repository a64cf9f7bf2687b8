package beam

import (
	"io"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ehc/transport/transporttest/port"
)

// EPMD starts a real epmd on a free port of 127.0.0.1 and returns the port once
// it answers there. Other loopback addresses (127.0.0.2 and so on) stay free on
// that port. It is killed when the test ends.
func EPMD(t testing.TB) int {
	t.Helper()
	Need(t)
	p := int(port.Free(t))
	startEPMD(t, p)
	return p
}

func startEPMD(t testing.TB, port int) {
	t.Helper()
	cmd := exec.Command("epmd", "-port", strconv.Itoa(port), "-address", "127.0.0.1", "-relaxed_command_check")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("epmd: %v", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		select {
		case <-ended:
		default:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
	})
	for limit := time.Now().Add(startLimit); !answers(port); time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			t.Fatalf("epmd ended instead of listening on port %d: %v", port, cmd.ProcessState)
		default:
		}
		if time.Now().After(limit) {
			t.Fatalf("epmd does not answer on port %d after %s", port, startLimit)
		}
	}
}

// askLimit is for one question to an EPMD of the test's.
const askLimit = time.Minute

// answers asks for the names; an EPMD says its own port first.
func answers(port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), askLimit)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(askLimit))
	if _, err := c.Write([]byte{0, 1, 'n'}); err != nil {
		return false
	}
	head := make([]byte, 4)
	_, err = io.ReadFull(c, head)
	return err == nil && int(head[2])<<8|int(head[3]) == port
}
