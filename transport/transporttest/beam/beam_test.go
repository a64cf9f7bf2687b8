package beam_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"ehc/transport/transporttest/beam"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestErlangNode(t *testing.T) {
	n := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "c"})
	for expr, want := range map[string]string{
		"node()":                                "'a@127.0.0.1'",
		"erlang:get_cookie()":                   "c",
		"X = 20, X + 22":                        "42",
		"#{<<\"k\">> => [{a, 1}]}":              "#{<<\"k\">> => [{a,1}]}",
		`io:format("no end of line"), "tämä"`:   `"tämä"`,
		"length(lists:duplicate(100000, $a))":   "100000",
		"is_pid(whereis(net_kernel))":           "true",
		"element(1, erl_epmd:names(localhost))": "ok",
	} {
		if got := n.Eval(expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
	if !strings.Contains(n.Output(), "no end of line") {
		t.Errorf("the output is %q", n.Output())
	}
	if v, err := n.TryEval("exit(oops)"); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("exit(oops) gave %q, %v", v, err)
	}
	if v, err := n.TryEval("1 + "); err == nil {
		t.Errorf("half an expression gave %q", v)
	}
}

func TestElixirNode(t *testing.T) {
	source := filepath.Join(t.TempDir(), "greeter.ex")
	text := "defmodule Greeter do\n  def hello(name), do: \"hello \" <> name\nend\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n := beam.Start(t, beam.Options{Name: "e@127.0.0.1", Cookie: "a cookie", Elixir: true,
		Hidden: true, Paths: []string{beam.CompileElixir(t, source)}})
	for expr, want := range map[string]string{
		"node()":                      `:"e@127.0.0.1"`,
		"Node.get_cookie()":           `:"a cookie"`,
		`Greeter.hello("wörld")`:      `"hello wörld"`,
		"Enum.to_list(1..60)|>length": "60",
	} {
		if got := n.Eval(expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
	if _, err := n.TryEval(`raise "oops"`); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("raise gave %v", err)
	}
}

func TestTwoNodesOfOneEPMDSeeEachOther(t *testing.T) {
	epmd := beam.EPMD(t)
	a := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "c", EPMDPort: epmd})
	beam.Start(t, beam.Options{Name: "b@127.0.0.1", Cookie: "c", EPMDPort: epmd})
	if got := a.Eval("net_adm:ping('b@127.0.0.1')"); got != "pong" {
		t.Errorf("ping: %s", got)
	}
}

func TestKillRestartAndWait(t *testing.T) {
	n := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "c"})
	creation, pid := n.Eval("erlang:system_info(creation)"), n.PID()
	n.Kill()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("the process is still there: %v", err)
	}
	if _, err := n.TryEval("1"); err == nil {
		t.Error("a killed node answers")
	}
	n.Restart()
	if again := n.Eval("erlang:system_info(creation)"); again == creation {
		t.Errorf("both incarnations have creation %s", again)
	}
	n.Freeze()
	n.Thaw()
	if _, err := n.TryEval("erlang:halt()"); err == nil {
		t.Error("halt returned")
	}
	n.Wait()
}
