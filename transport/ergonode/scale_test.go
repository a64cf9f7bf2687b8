package ergonode_test

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
	"ehc/transport/transporttest/beam"
)

func TestMessagesOf64MiB(t *testing.T) {
	const size = 64 << 20
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	n := start(t, e, func(o *ergonode.Options) {
		o.Servers = map[string]transport.Handler{"size": func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			return len(args[0].(string)), nil
		}}
	})
	c := dial(t, n, p.Name())
	long := strings.Repeat("x", size)
	if v, err := c.Call(within(t), "erlang", "byte_size", long); err != nil || v != size {
		t.Errorf("to the peer: %v, %v", v, err)
	}
	if v, err := c.Call(within(t), "binary", "copy", "x", size); err != nil || v != long {
		t.Errorf("from the peer, an answer: %v", err)
	}
	if got := p.Eval("gen_server:call({size, 'ehc@127.0.0.1'}, binary:copy(<<$x>>, " + strconv.Itoa(size) + "), infinity)"); got != strconv.Itoa(size) {
		t.Errorf("from the peer, a request: %s", got)
	}
	if _, err := c.Call(within(t), "erlang", "byte_size", long+long[:1<<17]); err == nil || errors.Is(err, transport.ErrDown) {
		t.Errorf("more than the limit: %v", err)
	}
	if _, err := c.Call(within(t), "erlang", "node"); err != nil {
		t.Error(err)
	}
}

// daemon is an epmd of the test's, on a given port.
func daemon(t *testing.T, port int) (kill func()) {
	t.Helper()
	cmd := exec.Command("epmd", "-port", strconv.Itoa(port), "-address", "127.0.0.1", "-relaxed_command_check")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	return kill
}

// told is a log that says when a line with a text has come.
type told struct {
	text string
	came chan struct{}
}

func (l told) Write(b []byte) (int, error) {
	if strings.Contains(string(b), l.text) {
		select {
		case l.came <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

func TestWeAreListedAgainWhenEPMDRestarts(t *testing.T) {
	beam.Need(t)
	port := int(transporttest.FreePort(t))
	kill := daemon(t, port)
	again := told{"listed in EPMD again", make(chan struct{}, 1)}
	w := newNews()
	var n *ergonode.Node
	p := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "monster", EPMDPort: awaited(t, port)})
	n = start(t, port, func(o *ergonode.Options) {
		o.Observer = w
		o.Log = hclog.New(&hclog.LoggerOptions{Output: again, Level: hclog.Info})
	})
	creation := n.Creation()
	c := dial(t, n, p.Name())
	kill()
	daemon(t, port)
	select {
	case <-again.came:
	case <-within(t).Done():
		t.Fatal("not listed again")
	}
	if v, err := c.Call(within(t), "erlang", "node"); err != nil || v != etf.Term(atom(p.Name())) {
		t.Errorf("the link did not live through it: %v, %v", v, err)
	}
	if got := p.Eval("erlang:disconnect_node('ehc@127.0.0.1'), net_adm:ping('ehc@127.0.0.1')"); got != "pong" {
		t.Errorf("the peer finds us: %s", got)
	}
	if n.Creation() != creation {
		t.Error("the creation is another, though we have not restarted")
	}
}

// awaited returns the port once an epmd answers there.
func awaited(t *testing.T, port int) int {
	t.Helper()
	until(t, "epmd answers", func() bool {
		out, err := exec.Command("epmd", "-port", strconv.Itoa(port), "-names").Output()
		return err == nil && len(out) > 0
	})
	return port
}

func TestAPeerThatStopsIsNoticedByTheTick(t *testing.T) {
	e := beam.EPMD(t)
	p := peer(t, "a@127.0.0.1", e)
	w := newNews()
	n := start(t, e, func(o *ergonode.Options) { o.Observer, o.Tick = w, 4*time.Second })
	c := dial(t, n, p.Name())
	pending := make(chan error, 1)
	go func() {
		_, err := c.Call(within(t), "timer", "sleep", atom("infinity"))
		pending <- err
	}()
	p.Freeze()
	began := time.Now()
	if why := <-w.downs; !errors.Is(why, transport.ErrSilent) {
		t.Errorf("the reason is %v", why)
	}
	t.Logf("noticed after %s with a tick of 4s", time.Since(began).Round(10*time.Millisecond))
	if err := <-pending; !errors.Is(err, transport.ErrDown) || !errors.Is(err, transport.ErrSilent) {
		t.Errorf("the pending call: %v", err)
	}
	p.Thaw()
	if again := dial(t, n, p.Name()); again == c {
		t.Error("the same connection again")
	}
}
