package box_test

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ehc/transport/transporttest/beam"
)

// cookie is RELEASE_COOKIE of every app.
const cookie = "box-cookie-2718"

// machine is one of Fly's: a space with an address. It keeps its id always, and its
// address until it migrates.
type machine struct {
	*space
	n      *network
	cable  *cable
	id     string
	app    string
	region string
	addr   netip.Addr

	deployed bool // it exists
	listed   bool // it is started, as far as the resolver knows

	epmd *process
	node *beam.Node
}

// create makes a Machine that is not started.
func (n *network) create(app, region string) *machine {
	n.t.Helper()
	m := &machine{n: n, app: app, region: region, deployed: true, id: fmt.Sprintf("683d314fdd%04x", len(n.machines))}
	m.place()
	n.machines = append(n.machines, m)
	n.publish()
	return m
}

// place puts the Machine on a host, which gives it an address: fdaa, the network,
// the host and the Machine.
func (m *machine) place() {
	m.n.t.Helper()
	m.space = newSpace(m.n.t)
	m.n.places++
	m.addr = netip.MustParseAddr(fmt.Sprintf("fdaa:0:18:a7b:%x:0:%x:2", 0x7d00+m.n.places, 0x1f00+m.n.places))
	m.cable = m.n.join(m.space, netip.PrefixFrom(m.addr, 112))
}

// migrate moves a Machine on which nothing runs to another host: its id stays, its
// address does not.
func (m *machine) migrate() {
	m.n.t.Helper()
	m.delist()
	m.cable.unplug()
	m.place()
}

// name is the node's, as Fly's template for Phoenix makes it.
func (m *machine) name(image string) string { return fmt.Sprintf("%s-%s@%s", m.app, image, m.addr) }

// boot starts an EPMD and a node of this image, and lists the Machine.
func (m *machine) boot(image, modules string, env ...string) {
	m.n.t.Helper()
	m.epmd = m.launch(m.n.t, exec.Command("epmd", "-relaxed_command_check"))
	m.n.t.Cleanup(m.epmd.kill)
	m.n.eventually("EPMD answers on "+m.id, func() bool { return m.reaches(netip.AddrPortFrom(m.addr, 4369)) })
	m.node = beam.Start(m.n.t, beam.Options{
		Name: m.name(image), Cookie: cookie, EPMDPort: 4369, Elixir: true, Address: m.addr,
		Paths: []string{modules}, Args: []string{"-kernel", "net_ticktime", ticktime},
		Env: env, Exec: m.start,
	})
	m.listed = true
	m.n.publish()
}

// halt ends the node as Fly's SIGTERM does, and all else on the Machine.
func (m *machine) halt() {
	m.n.t.Helper()
	_, _ = m.node.TryEval("System.stop()") // it may be gone before it has answered
	m.node.Wait()
	m.crash()
}

// crash ends all that runs on the Machine.
func (m *machine) crash() {
	m.node.Kill()
	m.epmd.kill()
}

// delist takes the Machine out of the resolver's answers; all.vms keeps it.
func (m *machine) delist() {
	m.listed = false
	m.n.publish()
}

// stop is fly machine stop: the address leads nowhere.
func (m *machine) stop() {
	m.n.t.Helper()
	m.delist()
	m.halt()
	m.cable.unplug()
}

// destroy is fly machine destroy.
func (m *machine) destroy() {
	m.n.t.Helper()
	m.deployed = false
	m.delist()
	m.crash()
	m.cable.unplug()
}

// reaches says whether a port can be reached from here.
func (m *machine) reaches(at netip.AddrPort) (ok bool) {
	m.in(func() {
		c, err := net.DialTimeout("tcp", at.String(), time.Second)
		if ok = err == nil; ok {
			_ = c.Close()
		}
	})
	return ok
}

// process is a program on a Machine.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once it is reaped
	err   error         // how it ended
}

// launch starts a program, which the caller kills.
func (s *space) launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.start(cmd); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	return p
}

// kill ends it and what it has started with SIGKILL. A program that has ended stays
// so; its id is sure to be its own until it is reaped.
func (p *process) kill() {
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	<-p.ended
}
