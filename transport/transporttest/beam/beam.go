// Package beam runs real Erlang and Elixir nodes as children of a test.
//
// It owns their processes: each has a process group of its own, is killed by its
// id when the test ends, and halts by itself when the test's process dies, for
// its standard input then ends. What a node prints is shown if the test fails.
// Everything listens on loopback, with an EPMD of the test's own: the machine's
// EPMD is never asked and never started.
//
// Expressions travel over the node's standard input and output, one line each:
//
//	to the node    ID BASE64(expression)
//	from the node  MARKER ID ok|error BASE64(result)
//
// and every other line is output of the node's.
package beam

import (
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
)

// Options say which node to start.
type Options struct {
	// Name is the full name, name@host, with a host that resolves to Address.
	Name string
	// Cookie is the node's cookie, for an Elixir node without quotes; the node runs
	// with a home of its own, so that no cookie file counts.
	Cookie string
	// EPMDPort is the port of the EPMD to register with; 0 starts one.
	EPMDPort int
	// Elixir makes it an Elixir node: Eval then takes Elixir and inspects.
	Elixir bool
	// Hidden starts the node with -hidden.
	Hidden bool
	// Paths are folders of compiled modules, for -pa.
	Paths []string
	// Args are further arguments of erl, for an Elixir node too; those of an
	// Elixir node hold no quotes.
	Args []string
	// Env are further settings for the environment, NAME=value.
	Env []string
	// Address is where the node listens; the zero Addr is 127.0.0.1. For one of IPv6
	// the node gets -proto_dist inet6_tcp, unless Args have a -proto_dist.
	Address netip.Addr
	// Exec starts the program, such as in a network namespace; nil is
	// (*exec.Cmd).Start.
	Exec func(*exec.Cmd) error
}

// Need says that the test uses real nodes. It skips the test in short mode, and
// fails it if a program that such a test runs is not installed.
func Need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("uses real Erlang nodes")
	}
	for _, program := range []string{"erl", "elixir", "epmd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not installed: install Erlang/OTP 25 or later and Elixir 1.14 or later "+
				"(on Debian: apt-get install erlang-base elixir), or run with -short", program)
		}
	}
}

// longestSetup is the most seconds that Erlang takes for the time of a handshake; the
// usual 7 may be too few on a busy machine. Options.Args may have others.
const longestSetup = "119"

// arguments are erl's, without those that make it an Elixir node.
func (o Options) arguments() []string {
	address := o.Address
	if !address.IsValid() {
		address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	args := []string{"-noshell", "-start_epmd", "false", "-name", o.Name, "-setcookie", o.Cookie,
		"-kernel", "inet_dist_use_interface", tuple(address)}
	if address.Is6() && !slices.Contains(o.Args, "-proto_dist") {
		args = append(args, "-proto_dist", "inet6_tcp")
	}
	if o.Hidden {
		args = append(args, "-hidden")
	}
	for _, dir := range o.Paths {
		args = append(args, "-pa", dir)
	}
	args = append(args, o.Args...)
	return append(args, "-kernel", "net_setuptime", longestSetup) // the first one counts
}

// tuple writes an address as Erlang's inet does.
func tuple(a netip.Addr) string {
	b := []byte{'{'}
	raw := a.AsSlice()
	step := 1
	if len(raw) == 16 {
		step = 2
	}
	for i := 0; i < len(raw); i += step {
		if i > 0 {
			b = append(b, ',')
		}
		word := uint64(raw[i])
		if step == 2 {
			word = word<<8 | uint64(raw[i+1])
		}
		b = strconv.AppendUint(b, word, 10)
	}
	return string(append(b, '}'))
}

// environment is the child's: ours without what would change how erl runs.
func (o Options) environment(home string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
		"ERL_EPMD_PORT=" + strconv.Itoa(o.EPMDPort), "ERL_CRASH_DUMP_SECONDS=0",
		"EHC_BEAM_MARKER=" + marker, "EHC_BEAM_SERVER=" + server, "EHC_BEAM_ELIXIR=" + strconv.FormatBool(o.Elixir),
	}
	return append(env, o.Env...)
}
