package beam

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "embed" // the expression server
)

// startLimit is how long a node may take to come up, evalLimit how long an
// expression may run, and awaitLimit how long Await waits. They are far past what
// a slow machine needs.
const (
	startLimit = 5 * time.Minute
	evalLimit  = 5 * time.Minute
	awaitLimit = 5 * time.Minute
)

// marker opens the lines that are answers.
const marker = "\x01ehc-beam"

//go:embed server.eval
var server string

// serveFromElixir evaluates the expression server, which is Erlang, in Elixir.
const serveFromElixir = `
{:ok, tokens, _} = "EHC_BEAM_SERVER" |> System.fetch_env!() |> to_charlist() |> :erl_scan.string()
{:ok, exprs} = :erl_parse.parse_exprs(tokens)
:erl_eval.exprs(exprs, [])
`

var errEnded = errors.New("the node has ended")

// Node is a running node. Its methods are safe for concurrent use, except that
// those which fail the test must be called from the test's own goroutine, as
// must Restart.
type Node struct {
	t    testing.TB
	o    Options
	home string

	mu  sync.Mutex
	run *run
}

// run is one incarnation of a node.
type run struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed once the process is reaped and its output read

	mu      sync.Mutex
	last    int
	waiting map[string]chan answer
	output  output
}

// Start starts a node and returns once it answers. It is killed when the test ends.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	Need(t)
	if o.EPMDPort == 0 {
		o.EPMDPort = EPMD(t)
	}
	n := &Node{t: t, o: o, home: t.TempDir()}
	t.Cleanup(n.finish)
	n.start()
	return n
}

func (n *Node) start() {
	n.t.Helper()
	r := &run{ended: make(chan struct{}), waiting: map[string]chan answer{}}
	up, err := r.start(n.o, n.home)
	if err != nil {
		n.t.Fatalf("start %s: %v", n.o.Name, err)
	}
	n.mu.Lock()
	n.run = r
	n.mu.Unlock()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case a := <-up:
		if a.text != n.o.Name {
			n.t.Fatalf("start %s: the node is %q", n.o.Name, a.text)
		}
	case <-r.ended:
		n.t.Fatalf("start %s: the node ended before it was up", n.o.Name)
	case <-limit.C:
		n.t.Fatalf("start %s: not up after %s", n.o.Name, startLimit)
	}
}

// start runs the program. The channel gives the name once the node is up.
func (r *run) start(o Options, home string) (<-chan answer, error) {
	if o.Elixir {
		// The rest goes through the environment: elixir would split it at spaces.
		r.cmd = exec.Command("elixir", "--no-halt", "-e", serveFromElixir)
		r.cmd.Env = append(o.environment(home), "ERL_AFLAGS='"+strings.Join(o.arguments(), "' '")+"'")
	} else {
		r.cmd = exec.Command("erl", append(o.arguments(), "-eval", server)...)
		r.cmd.Env = o.environment(home)
	}
	r.cmd.Dir = home
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := r.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	r.stdin, r.cmd.Stdout, r.cmd.Stderr = stdin, theirs, theirs
	up := make(chan answer, 1)
	r.waiting["0"] = up
	start := o.Exec
	if start == nil {
		start = (*exec.Cmd).Start
	}
	if err := start(r.cmd); err != nil {
		_ = ours.Close()
		return nil, err
	}
	go func() {
		defer close(r.ended)
		r.read(ours)
		_ = ours.Close()
		_ = r.cmd.Wait()
	}()
	return up, nil
}

// current is the incarnation that runs, or ran last.
func (n *Node) current() *run {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.run
}

// Name is the node's full name.
func (n *Node) Name() string { return n.o.Name }

// EPMDPort is the port of the EPMD that the node is registered with.
func (n *Node) EPMDPort() int { return n.o.EPMDPort }

// PID is the id of the node's process, which leads a process group of its own.
func (n *Node) PID() int { return n.current().cmd.Process.Pid }

// Kill ends the node with SIGKILL and returns once it is gone. Killing a node
// that has ended does nothing.
func (n *Node) Kill() { n.current().kill() }

// Freeze stops the node's process with SIGSTOP: its sockets stay open and silent.
func (n *Node) Freeze() { n.current().signal(syscall.SIGSTOP) }

// Thaw lets a frozen node go on.
func (n *Node) Thaw() { n.current().signal(syscall.SIGCONT) }

// Wait returns once the node has ended.
func (n *Node) Wait() { <-n.current().ended }

// Restart kills the node if it runs, starts it again under the same name and
// returns once it answers.
func (n *Node) Restart() {
	n.t.Helper()
	n.Kill()
	n.show()
	n.start()
}

func (r *run) kill() {
	r.signal(syscall.SIGKILL)
	_ = r.stdin.Close()
	<-r.ended
}

// signal reaches the whole group while it is sure to be ours: the id is not given
// to anyone else before the child is reaped.
func (r *run) signal(s syscall.Signal) {
	select {
	case <-r.ended:
	default:
		_ = syscall.Kill(-r.cmd.Process.Pid, s)
	}
}

// finish is the test's last word: no process left, and what was said on failure.
func (n *Node) finish() {
	if n.current() == nil {
		return
	}
	n.Kill()
	n.show()
}

func (n *Node) show() {
	if n.t.Failed() {
		n.t.Logf("output of %s:\n%s", n.o.Name, n.Output())
	}
}

// Output is what the node has printed so far, its tail if that is much.
func (n *Node) Output() string {
	r := n.current()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.String()
}

// Eval runs an expression and returns its value as the language writes it. An
// exception, or a node that has ended, fails the test. Each expression runs in a
// process of its own and knows nothing of the variables of others.
func (n *Node) Eval(expr string) string {
	n.t.Helper()
	v, err := n.TryEval(expr)
	if err != nil {
		n.t.Fatalf("%s: %s: %v", n.o.Name, expr, err)
	}
	return v
}

// Await returns once an expression has this value. It is for what a node learns
// only a moment after its peer: a node has a connection in nodes() after it has
// sent the last word of the handshake, and has lost it after it has read the end
// of the socket. Minutes without that value fail the test.
func (n *Node) Await(expr, want string) {
	n.t.Helper()
	for limit := time.Now().Add(awaitLimit); ; time.Sleep(10 * time.Millisecond) {
		got := n.Eval(expr)
		if got == want {
			return
		}
		if time.Now().After(limit) {
			n.t.Fatalf("%s: %s is %s after %s, want %s", n.o.Name, expr, got, awaitLimit, want)
		}
	}
}

// TryEval is Eval with an error in place of a failed test. It may be called from
// any goroutine.
func (n *Node) TryEval(expr string) (string, error) {
	r := n.current()
	got, err := r.ask(expr)
	if err != nil {
		return "", err
	}
	limit := time.NewTimer(evalLimit)
	defer limit.Stop()
	select {
	case a := <-got:
		return a.text, a.err
	case <-r.ended:
		return "", errEnded
	case <-limit.C:
		return "", fmt.Errorf("no answer after %s", evalLimit)
	}
}
