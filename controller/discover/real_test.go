package discover

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/discover/zone"
	"ehc/state"
	"ehc/transport/transporttest/port"
)

// program starts a program that ends with the test, and returns what it prints
// from the first line that begins with ready on. Its other lines are logged if
// the test fails to start it.
func program(t *testing.T, install, ready string, env []string, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: this test runs a real %s; install it (Debian: apt-get install %s), or run go test -short", err, name, install)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = in, in
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	lines := bufio.NewScanner(out)
	rest := make(chan struct{})
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
		<-rest
		out.Close()
	})
	var seen []string
	deadline := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer deadline.Stop()
	for lines.Scan() {
		if line := lines.Text(); strings.Contains(line, ready) {
			go func() { defer close(rest); _, _ = io.Copy(io.Discard, out) }()
			return line
		}
		seen = append(seen, lines.Text())
	}
	close(rest)
	t.Fatalf("%s did not start: %s", name, strings.Join(seen, "\n"))
	return ""
}

func TestFindWithARealEPMDAndNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("runs epmd and erl")
	}
	at := port.Free(t)
	env := []string{
		fmt.Sprintf("ERL_EPMD_PORT=%d", at), "ERL_EPMD_ADDRESS=127.0.0.1", "HOME=" + t.TempDir(),
		"ERL_CRASH_DUMP_SECONDS=0", "ERL_FLAGS=", "ERL_AFLAGS=", "ERL_ZFLAGS=",
	}
	program(t, "erlang-base", "entering the main select() loop", env, "epmd", "-d", "-d")
	start := func(name string) string {
		return program(t, "erlang-base", "ready ", env, "erl", "-noshell", "-name", name+"@127.0.0.1", "-setcookie", "discover",
			"-eval", `{port, P, _} = erl_epmd:port_please("`+name+`", {127,0,0,1}), io:format("ready ~b~n", [P]), `+
				`io:get_line(""), halt().`)
	}
	told := start("phoenix-01J")
	start("rem-3f2a-phoenix-01J")
	start("worker")

	s := serve(t)
	s.Set("app.internal", addrs("127.0.0.1", "127.0.0.2")...)
	dns := state.DNSSpec{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
	got, err := (&Finder{EPMDPort: at, EPMDTimeout: patience}).Find(t.Context(), dns, state.App{Match: "*-01J"}, state.Lookup{Target: "app.internal"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Found) != 1 {
		t.Fatalf("found %v, want phoenix-01J alone", got.Found)
	}
	if line := fmt.Sprintf("ready %d", got.Found[0].Port); line != told {
		t.Errorf("the port by EPMD is %q, by the node %q", line, told)
	}
	want := state.Answer{
		Found:   []state.Found{nodeAt("phoenix-01J@127.0.0.1", "127.0.0.1", got.Found[0].Port)},
		Unasked: addrs("127.0.0.2"),
		Why:     fmt.Sprintf("EPMD at 127.0.0.2:%d unreachable: connection refused", at),
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Error("answer (-want +got):", diff)
	}
}

// TestResolverAgainstDnsmasq asks a server that shares no code with ours, and
// our zone through it.
func TestResolverAgainstDnsmasq(t *testing.T) {
	if testing.Short() {
		t.Skip("runs dnsmasq")
	}
	behind := serve(t)
	behind.Set("big.fwd", many("fdaa::", 200)...)
	behind.SetAlias("alias.fwd", "big.fwd")
	behind.Fail("bad.fwd", zone.ServFail)
	behind.Fail("cut.fwd", zone.TruncateClosed)
	server := dnsmasq(t, behind.Addr())
	r := &Resolver{Servers: []netip.AddrPort{server}, Timeout: patience}
	hosts := []struct {
		name, ask string
		want      []netip.Addr
		fails     string
	}{
		{name: "records of both families", ask: "a.internal", want: addrs("10.0.0.1", "fdaa::1")},
		{name: "two hundred addresses of its own, over TCP", ask: "many.internal", want: many("10.1.0.0", 200)},
		{name: "an alias", ask: "ALIAS.internal", want: addrs("10.0.0.1", "fdaa::1")},
		{name: "one family only", ask: "b.internal", want: addrs("10.0.0.2")},
		{name: "a name that does not exist", ask: "none.internal"},
		{name: "a name that it will not look up", ask: "www.example.org", fails: "REFUSED from SERVER"},
		{name: "two hundred addresses from behind", ask: "big.fwd", want: many("fdaa::", 200)},
		{name: "an alias from behind", ask: "alias.fwd", want: many("fdaa::", 200)},
		{name: "a name that does not exist behind", ask: "none.fwd"},
		{name: "a failure behind", ask: "bad.fwd", fails: "SERVFAIL from SERVER"},
	}
	for _, c := range hosts {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Host(t.Context(), c.ask)
			if want := serverIs(c.fails, server); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got.Addrs, byValue); diff != "" {
				t.Error("addresses (-want +got):", diff)
			}
		})
	}
	t.Run("a truncated answer behind that cannot be completed is no answer", func(t *testing.T) {
		if got, err := r.Host(t.Context(), "cut.fwd"); err == nil {
			t.Errorf("got %v, want a failure", got)
		}
	})
	t.Run("a service", func(t *testing.T) {
		got, err := r.SRV(t.Context(), "_dist._tcp.app.internal")
		want := []Target{{Host: "a.internal", Addrs: addrs("10.0.0.1", "fdaa::1")}, {Host: "b.internal", Addrs: addrs("10.0.0.2")}}
		if diff := cmp.Diff(want, got.Targets, byValue); diff != "" || err != nil {
			t.Errorf("error %v, targets (-want +got): %s", err, diff)
		}
	})
}

// dnsmasq serves .internal itself and asks behind for .fwd.
func dnsmasq(t *testing.T, behind netip.AddrPort) netip.AddrPort {
	t.Helper()
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	at := port.Free(t)
	args := []string{
		"--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file", "--user=" + who.Username,
		"--no-hosts", "--no-resolv", "--listen-address=127.0.0.1", "--bind-interfaces", fmt.Sprintf("--port=%d", at),
		"--local=/internal/", fmt.Sprintf("--server=/fwd/127.0.0.1#%d", behind.Port()),
		"--host-record=a.internal,10.0.0.1,fdaa::1", "--host-record=b.internal,10.0.0.2", "--cname=alias.internal,a.internal",
		"--srv-host=_dist._tcp.app.internal,a.internal,4370", "--srv-host=_dist._tcp.app.internal,b.internal,4370",
	}
	for _, addr := range many("10.1.0.0", 200) {
		args = append(args, "--host-record=many.internal,"+addr.String())
	}
	program(t, "dnsmasq-base", "started, version", nil, "dnsmasq", args...)
	return netip.AddrPortFrom(loopback.Addr(), at)
}

// BenchmarkHost asks for 200 addresses over UDP, TCP and UDP.
func BenchmarkHost(b *testing.B) {
	s, err := zone.Serve(context.Background(), loopback)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Set("app.internal", many("fdaa::", 200)...)
	r := &Resolver{Servers: []netip.AddrPort{s.Addr()}, Timeout: patience}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := r.Host(b.Context(), "app.internal"); err != nil || len(got.Addrs) != 200 {
			b.Fatal(len(got.Addrs), err)
		}
	}
}
