package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/controller/discover/zone"
	"ehc/transport/transporttest/beam"
)

// builtIn is the folder of what builtEhc has built, for TestMain to remove; empty if
// nothing was.
var builtIn string

// builtEhc builds the binary once for all end-to-end tests.
var builtEhc = sync.OnceValues(func() (_ string, err error) {
	if builtIn, err = os.MkdirTemp("", "ehc-e2e-"); err != nil {
		return "", err
	}
	bin := filepath.Join(builtIn, "ehc")
	if out, err := exec.Command("go", "build", "-race", "-o", bin, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ehc: %w\n%s", err, out)
	}
	return bin, nil
})

// cluster is a DNS server, an EPMD, a controller and real Elixir nodes.
type cluster struct {
	t       *testing.T
	bin     string
	dir     string
	epmd    int
	dns     *zone.Server
	modules string // the remote app's, compiled
	run     *exec.Cmd
	log     *logBuffer
	extra   []string // of the environment
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

const testCookie = "e2e-cookie-3141"

// patience bounds a hang. It is far past what a busy machine needs.
const patience = 5 * time.Minute

func newCluster(t *testing.T) *cluster {
	beam.Need(t)
	bin, err := builtEhc()
	if err != nil {
		t.Fatal(err)
	}
	dns, err := zone.Serve(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dns.Close() })
	// Unix socket paths are short: t.TempDir() may not be.
	dir, err := os.MkdirTemp("", "ehc-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cluster{t: t, bin: bin, dir: dir, epmd: beam.EPMD(t), dns: dns, modules: beam.CompileElixir(t, "remote.ex")}
	t.Cleanup(c.stop)
	return c
}

// file writes a cluster.hcl with these blocks after the node's and the DNS's.
func (c *cluster) file(name, blocks string) string {
	path := filepath.Join(c.dir, name)
	text := fmt.Sprintf(`node {
  name      = "ehc@127.0.0.1"
  cookie    = env("TEST_COOKIE")
  epmd_port = %d
}
dns {
  servers  = [%q]
  interval = "100ms"
  timeout  = "1s"
}
log {
  level = "debug"
}
%s`, c.epmd, c.dns.Addr(), blocks)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) environ() []string {
	env := append(os.Environ(), "TEST_COOKIE="+testCookie, "EHC_DATA="+c.data(),
		"GORACE=atexit_sleep_ms=0") // a second at the end of each command, otherwise
	return append(env, c.extra...)
}

// start runs the controller on a file and returns when it answers.
func (c *cluster) start(config string) {
	c.t.Helper()
	c.log = &logBuffer{}
	c.run = exec.Command(c.bin, "run", "-config", config, "-data", c.data())
	c.run.Env = c.environ()
	c.run.Stdout, c.run.Stderr = c.log, c.log
	if err := c.run.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.eventually("the controller answers", func() bool {
		client := api.NewClient(api.SocketIn(c.data()))
		defer client.Close()
		_, err := client.Status(c.t.Context())
		return err == nil
	})
}

// kill ends the controller as a crash would.
func (c *cluster) kill() {
	_ = c.run.Process.Kill()
	_ = c.run.Wait()
	c.run = nil
}

func (c *cluster) stop() {
	if c.run == nil {
		return
	}
	_ = c.run.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- c.run.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			c.t.Errorf("the controller ended with %v", err)
		}
	case <-time.After(patience):
		c.t.Error("the controller did not stop on SIGTERM")
		_ = c.run.Process.Kill()
		<-done
	}
	c.run = nil
	if c.t.Failed() {
		c.t.Logf("the controller's log:\n%s", c.log)
	}
	if strings.Contains(c.log.String(), testCookie) {
		c.t.Error("the log shows the cookie")
	}
	if strings.Contains(c.log.String(), "DATA RACE") {
		c.t.Errorf("the controller has a data race:\n%s", c.log)
	}
}

// ehc runs a command and returns what it printed and its exit code.
func (c *cluster) ehc(args ...string) (string, int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.bin, args...)
	cmd.Env = c.environ()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("ehc %s: %v", args[0], err)
	}
	if strings.Contains(string(out), testCookie) {
		c.t.Errorf("ehc %s shows the cookie", args[0])
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a command that has to end with 0.
func (c *cluster) must(args ...string) string {
	c.t.Helper()
	out, code := c.ehc(args...)
	if code != 0 {
		c.t.Fatalf("ehc %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (c *cluster) status() api.Status {
	c.t.Helper()
	var s api.Status
	if err := json.Unmarshal([]byte(c.must("status", "-o", "json")), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *cluster) plan(args ...string) api.Plan {
	c.t.Helper()
	var p api.Plan
	if err := json.Unmarshal([]byte(c.must(append([]string{"plan", "-o", "json"}, args...)...)), &p); err != nil {
		c.t.Fatal(err)
	}
	return p
}

// node returns a node's row; Phase is empty if there is none.
func (c *cluster) node(name string) api.Node {
	c.t.Helper()
	for _, n := range c.status().Nodes {
		if n.Node == name {
			return n
		}
	}
	return api.Node{}
}

func (c *cluster) pending(app string) int {
	c.t.Helper()
	for _, q := range c.status().Outbox {
		if q.App == app {
			return q.Pending
		}
	}
	return -1
}

// eventually waits for a condition.
func (c *cluster) eventually(what string, holds func() bool) {
	c.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-pause.C:
		case <-limit.C:
			c.t.Fatalf("waited in vain until %s\n%s", what, c.log)
		}
	}
}

// remote is an Elixir node with the remote app's handler.
type remote struct {
	*beam.Node
	journal string
}

// remote starts name@addr. Its EPMD at addr shows only its own name, as on a
// machine of its own.
func (c *cluster) remote(name, addr, cookie string) *remote {
	c.front(name, addr)
	r := &remote{journal: filepath.Join(c.dir, name+".journal")}
	r.Node = beam.Start(c.t, beam.Options{
		Name: name + "@" + addr, Cookie: cookie, EPMDPort: c.epmd, Elixir: true,
		Paths: []string{c.modules}, Address: netip.MustParseAddr(addr),
	})
	r.open()
	return r
}

func (r *remote) open() {
	r.Eval(fmt.Sprintf("{:ok, _} = EventHorizon.Remote.Journal.start(%q)", r.journal))
}

// restart brings a killed node back.
func (r *remote) restart() {
	r.Restart()
	r.open()
}

// entries are those that the node has kept.
func (c *cluster) entries(r *remote) []entry {
	c.t.Helper()
	got, err := readJournal(r.journal)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// front is the EPMD of a machine with one node: it asks the real one and lets
// through only that node's name.
func (c *cluster) front(name, addr string) {
	l, err := net.Listen("tcp", net.JoinHostPort(addr, strconv.Itoa(c.epmd)))
	if err != nil {
		c.t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.relay(conn, name) })
		}
	})
	c.t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
	})
}

func (c *cluster) relay(conn net.Conn, name string) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return
	}
	body := make([]byte, int(head[0])<<8|int(head[1]))
	if _, err := io.ReadFull(conn, body); err != nil {
		return
	}
	real, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.epmd))
	if err != nil {
		return
	}
	defer real.Close()
	if _, err := real.Write(append(head, body...)); err != nil {
		return
	}
	answer, err := io.ReadAll(real)
	if err != nil {
		return
	}
	if body[0] == 'n' {
		names := answer[:4]
		for line := range strings.Lines(string(answer[4:])) {
			if strings.HasPrefix(line, "name "+name+" ") {
				names = append(names, line...)
			}
		}
		answer = names
	}
	_, _ = conn.Write(answer)
}
