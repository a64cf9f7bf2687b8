// Package systemd_test holds the unit of this folder against ehc and against the
// files beside it.
package systemd_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ehc/examples/deploytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unit is a unit file: the values of each option, as SECTION.OPTION.
type unit map[string][]string

func readUnit(t *testing.T) unit {
	t.Helper()
	u := unit{}
	section := ""
	for line := range strings.Lines(deploytest.ReadFile(t, "ehc.service")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]")
			continue
		}
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			u[section+"."+name] = append(u[section+"."+name], value)
		}
	}
	return u
}

// one is the value of an option that is there once.
func (u unit) one(t *testing.T, name string) string {
	t.Helper()
	if len(u[name]) != 1 {
		t.Fatalf("%s = %q, want one value", name, u[name])
	}
	return u[name][0]
}

// environ is what ehc.env and the unit give, with the cookie filled in.
func environ(t *testing.T, u unit) map[string]string {
	t.Helper()
	env := map[string]string{}
	lines := append(u["Service.Environment"], strings.Split(deploytest.ReadFile(t, "ehc.env"), "\n")...)
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env[name] = value
		}
	}
	if cookie, there := env["RELEASE_COOKIE"]; !there || cookie != "" {
		t.Errorf("the example's RELEASE_COOKIE is %q, want it there and empty: nobody should run with one from here", cookie)
	}
	env["RELEASE_COOKIE"], env["EHC_HOST"] = "systemd-cookie-1414", "127.0.0.1"
	return env
}

func TestTheUnitAgreesWithTheOtherFiles(t *testing.T) {
	u := readUnit(t)
	folder := "/var/lib/" + u.one(t, "Service.StateDirectory")
	start := strings.Fields(u.one(t, "Service.ExecStart"))
	if want := []string{"/usr/local/bin/ehc", "run", "-config", "/etc/ehc/cluster.hcl", "-data", folder}; !slices.Equal(start, want) {
		t.Errorf("ExecStart = %q, want %q", start, want)
	}
	env := environ(t, u)
	if env["EHC_DATA"] != folder {
		t.Errorf("EHC_DATA = %s, the state is in %s", env["EHC_DATA"], folder)
	}
	for name, want := range map[string]string{
		"Service.DynamicUser": "yes", "Service.Restart": "always", "Service.KillSignal": "SIGTERM",
		"Service.EnvironmentFile": "/etc/ehc/ehc.env", "Service.StateDirectoryMode": "0700", "Install.WantedBy": "multi-user.target",
	} {
		if got := u.one(t, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	asked := deploytest.Parse(t, "cluster.hcl", deploytest.ReadFile(t, "cluster.hcl"), env)
	if asked.Node.Name != "ehc@127.0.0.1" || len(asked.Apps) != 1 {
		t.Errorf("cluster.hcl asks for %+v", asked)
	}
}

// TestSystemdTakesTheUnit asks the real one, where there is one: whether it knows
// every option, and how much the service is exposed.
func TestSystemdTakesTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze here; the other tests read the unit by themselves")
	}
	// It wants to see the program.
	dir := t.TempDir()
	program := filepath.Join(dir, "ehc")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ehc.service")
	text := strings.ReplaceAll(deploytest.ReadFile(t, "ehc.service"), "/usr/local/bin/ehc", program)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// From 0, best, to 100.
	if out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold=20", path).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// TestTheUnitsCommandRuns runs it, reloads it and stops it as systemd does.
func TestTheUnitsCommandRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	u := readUnit(t)
	e := deploytest.Start(t, deploytest.Build(t), deploytest.Example{
		Args: strings.Fields(u.one(t, "Service.ExecStart"))[1:], HCL: deploytest.ReadFile(t, "cluster.hcl"), Env: environ(t, u),
	})
	deploytest.Eventually(t, "it is well", func() error {
		code, err := e.Get("/healthz")
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("status %d", code)
		}
		return err
	})
	before, err := e.Status()
	if err != nil {
		t.Fatal(err)
	}
	if got := u.one(t, "Service.ExecReload"); got != "/bin/kill -HUP $MAINPID" {
		t.Fatalf("ExecReload = %s", got)
	}
	e.Hangup()
	deploytest.Eventually(t, "the file is read again", func() error {
		s, err := e.Status()
		if err == nil && !s.Config.AppliedAt.After(before.Config.AppliedAt) {
			err = fmt.Errorf("in force since %s", s.Config.AppliedAt.Format(time.RFC3339Nano))
		}
		return err
	})
	e.Stop()
}
