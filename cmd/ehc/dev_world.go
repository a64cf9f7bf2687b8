package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ehc/controller/api"
	"ehc/controller/discover/zone"
	"ehc/transport/epmd"
)

// world is the cluster of `ehc dev`, all of it on loopback:
//
//	this process     a DNS server and EPMD
//	node A           ehc run, a child
//	node B           the remote app, a child: ehc dev peer, or Elixir
type world struct {
	exe    string // this program
	dir    string // everything that the world keeps
	cookie string
	kind   string     // of node B: "ehc" or "beam"
	host   netip.Addr // of node B
	epmd   uint16
	dns    *zone.Server
	log    *os.File

	group *errgroup.Group
	stop  context.CancelFunc
	a, b  *child
}

const (
	devName   = "remote.internal"
	devCookie = "EHC_DEV_COOKIE" // the variable that the children have it from
)

// newWorld starts DNS and EPMD, and writes the file that node A is to follow.
func newWorld(ctx context.Context, dir, kind string) (w *world, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	w = &world{exe: exe, dir: dir, cookie: newCookie(), kind: kind}
	w.log, err = os.Create(filepath.Join(dir, "dev.log"))
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.group, ctx = errgroup.WithContext(ctx)
	if err := w.serveEPMD(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.dns, err = zone.Serve(ctx, netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.dns.Set(devName, w.host)
	if err := os.WriteFile(w.config(), []byte(w.hcl()), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write config: %w", err), w.close())
	}
	return w, nil
}

// serveEPMD serves one table of names on both nodes' addresses. Where 127.0.0.2
// is not to be had, as on macOS, both nodes are on 127.0.0.1.
func (w *world) serveEPMD(ctx context.Context) error {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for EPMD: %w", err)
	}
	server := &epmd.Server{}
	w.group.Go(func() error { return server.Serve(ctx, first) })
	w.epmd = first.Addr().(*net.TCPAddr).AddrPort().Port()
	w.host = netip.MustParseAddr("127.0.0.1")
	second, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", w.epmd))
	if err != nil {
		return nil //nolint:nilerr // one address will do
	}
	w.host = netip.MustParseAddr("127.0.0.2")
	w.group.Go(func() error { return server.Serve(ctx, second) })
	return nil
}

// close stops the nodes, then DNS and EPMD.
func (w *world) close() error {
	var errs []error
	for _, c := range []*child{w.a, w.b} {
		if c != nil {
			errs = append(errs, c.stop())
		}
	}
	w.stop()
	if err := w.group.Wait(); !errors.Is(err, context.Canceled) { // which is our own doing
		errs = append(errs, err)
	}
	if w.dns != nil {
		errs = append(errs, w.dns.Close())
	}
	return errors.Join(append(errs, w.log.Close())...)
}

func (w *world) config() string       { return filepath.Join(w.dir, "cluster.hcl") }
func (w *world) data() string         { return filepath.Join(w.dir, "data") }
func (w *world) journal() string      { return filepath.Join(w.dir, "remote.journal") }
func (w *world) address() api.Address { return api.SocketIn(w.data()) }
func (w *world) nodeB() string        { return "remote@" + w.host.String() }

// apiEnv tells a command where the controller is; env also gives the cookie, for
// children only: no secret is printed, not even this one.
func (w *world) apiEnv() string { return "EHC_API=" + w.address().String() }

func (w *world) env() []string { return []string{w.apiEnv(), devCookie + "=" + w.cookie} }

func (w *world) hcl() string {
	return strings.NewReplacer("EPMD", fmt.Sprint(w.epmd), "SERVER", w.dns.Addr().String(), "NAME", devName).Replace(
		`node {
  name      = "ehc@127.0.0.1"
  cookie    = env("EHC_DEV_COOKIE")
  epmd_port = EPMD
}

dns {
  servers  = ["SERVER"]
  interval = "500ms"
}

rpc {
  allow = ["Remote.Metrics.get_count/1"]
}

peer "remote" {
  queries = ["NAME"]
  match   = "remote*"
  deliver {
    handler = "EventHorizon.Remote.Handler.handle_buffered_event/1"
  }
  prune {
    after = "2s"
  }
}
`)
}

// startA starts the controller on a file that has no peers yet, so that there is
// something to plan.
func (w *world) startA(ctx context.Context) error {
	empty := filepath.Join(w.dir, "empty.hcl")
	node, _, _ := strings.Cut(w.hcl(), "peer ")
	if err := os.WriteFile(empty, []byte(node), 0o600); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	c, err := startChild(ctx, w.log, "", w.env(), w.exe, "run", "-config", empty, "-data", w.data())
	if err != nil {
		return err
	}
	w.a = c
	client := api.NewClient(w.address())
	defer client.Close()
	return until(ctx, "the controller to answer", func() (bool, error) {
		select {
		case <-c.done:
			return false, errors.New("start the controller: it has ended")
		default:
		}
		_, err := client.Status(ctx)
		if errors.Is(err, api.ErrNoController) {
			return false, nil
		}
		return err == nil, err
	})
}

// startB starts the remote app.
func (w *world) startB(ctx context.Context) error {
	var err error
	if w.kind == "beam" {
		w.b, err = w.startElixir(ctx)
	} else {
		w.b, err = startChild(ctx, w.log, "ready", w.env(), w.exe, "dev", "peer",
			"-name", w.nodeB(), "-epmd-port", fmt.Sprint(w.epmd), "-journal", w.journal())
	}
	return err
}

func (w *world) startElixir(ctx context.Context) (*child, error) {
	elixir, err := exec.LookPath("elixir")
	if err != nil {
		return nil, fmt.Errorf("-peer beam needs Elixir: %w", err)
	}
	script := filepath.Join(w.dir, "remote.exs")
	text := remoteApp + fmt.Sprintf(`
{:ok, _} = EventHorizon.Remote.Journal.start(%q)
IO.puts("ready")
IO.read(:stdio, :eof)
System.halt(0)
`, w.journal())
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write script: %w", err)
	}
	env := append(w.env(), fmt.Sprintf("ERL_EPMD_PORT=%d", w.epmd), "ERL_AFLAGS=-start_epmd false")
	return startChild(ctx, w.log, "ready", env, elixir, "--name", w.nodeB(), "--cookie", w.cookie, script)
}

// until asks again and again, for a minute at most, whether something has come about.
func until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// showLog writes what the nodes have logged.
func (w *world) showLog(to io.Writer) error {
	text, err := os.ReadFile(w.log.Name())
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	_, err = fmt.Fprintf(to, "\nWhat the nodes logged:\n%s", text)
	return err
}

func nodeParts(node string) (name, host string) {
	name, host, _ = strings.Cut(node, "@")
	return name, host
}
