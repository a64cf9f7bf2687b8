package beam

import (
	"io"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// EPMD starts a real epmd on a free port of 127.0.0.1 and returns the port once
// it answers there. Other loopback addresses (127.0.0.2 and so on) stay free on
// that port. It is killed when the test ends.
func EPMD(t testing.TB) (port int) {
	t.Helper()
	Need(t)
	for range 5 { // somebody else may take the port before epmd does
		port = freePort(t)
		if startEPMD(t, port) {
			return port
		}
	}
	t.Fatal("epmd: found no port that it could listen on")
	return 0
}

func startEPMD(t testing.TB, port int) bool {
	t.Helper()
	cmd := exec.Command("epmd", "-port", strconv.Itoa(port), "-address", "127.0.0.1", "-relaxed_command_check")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("epmd: %v", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	for range 500 {
		if answers(port) {
			t.Cleanup(func() {
				select {
				case <-ended:
				default:
					_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
					<-ended
				}
			})
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	<-ended
	return false
}

// answers asks for the names; an EPMD says its own port first.
func answers(port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte{0, 1, 'n'}); err != nil {
		return false
	}
	head := make([]byte, 4)
	_, err = io.ReadFull(c, head)
	return err == nil && int(head[2])<<8|int(head[3]) == port
}

// freePort is a port of 127.0.0.1 that nothing listens on at the moment.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("free port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
