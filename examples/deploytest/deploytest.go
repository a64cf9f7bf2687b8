// Package deploytest is what the tests of the deployment examples share: it builds
// ehc as the image of examples/fly does, and runs it as an example's platform would,
// with the example's own command line, environment and cluster.hcl, but on loopback,
// with ports of its own and a data folder of the test's.
package deploytest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/spec"
	"ehc/transport/transporttest/port"
)

// Root is the root of the repository, seen from a folder of examples.
const Root = "../.."

// patience is how long to wait for what takes a second on a machine at leisure.
const patience = 5 * time.Minute

// buildLine is the line of the Dockerfile that builds ehc.
var buildLine = regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .* -o /out/ehc \./cmd/ehc)$`)

// Build builds ehc by the Dockerfile's own line, but for where to.
func Build(t testing.TB) string {
	t.Helper()
	text := ReadFile(t, filepath.Join(Root, "examples/fly/Dockerfile"))
	line := buildLine.FindStringSubmatch(text)
	if line == nil {
		t.Fatalf("the Dockerfile has no line like %s", buildLine)
	}
	bin := filepath.Join(t.TempDir(), "ehc")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line[1], "/out/ehc", bin, 1))
	cmd.Dir = Root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line[1], err, out)
	}
	return bin
}

// ReadFile returns a file's text.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Parse returns what a cluster.hcl asks for in this environment. It must be sound,
// without a warning, and laid out as ehc fmt does.
func Parse(t testing.TB, name, text string, env map[string]string) state.Spec {
	t.Helper()
	got, diags := spec.Parse(name, []byte(text), spec.Env{Lookup: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}})
	if len(diags) > 0 {
		t.Fatalf("%s:\n%s", name, diags.Text())
	}
	if string(spec.Format([]byte(text))) != text {
		t.Errorf("%s is not as ehc fmt has it", name)
	}
	return got
}

// Example is one way to run ehc.
type Example struct {
	Args []string          // of ehc, with -config and -data as on the platform
	HCL  string            // the text of the cluster.hcl
	Env  map[string]string // what the platform gives
	// Mount puts the text at a path in a folder, and returns the path; nil: as a
	// plain file.
	Mount func(folder, text string) string
}

// Ehc is ehc as an example runs it.
type Ehc struct {
	t      testing.TB
	run    *exec.Cmd
	ended  chan error
	output output
	stop   sync.Once
	// Data is its data folder, Config the path of its cluster.hcl.
	Data, Config string
	// Telemetry is the address that /healthz and the like are answered at.
	Telemetry string
}

// Start runs an example until the test ends, and returns when it answers.
func Start(t testing.TB, bin string, x Example) *Ehc {
	t.Helper()
	dir, err := os.MkdirTemp("", "ehc-run-") // short, for the socket in it
	if err != nil {
		t.Fatal(err)
	}
	e := &Ehc{t: t, Data: filepath.Join(dir, "data"), Config: filepath.Join(dir, "cluster.hcl"), ended: make(chan error, 1)}
	text := e.here(x.HCL)
	if x.Mount != nil {
		e.Config = x.Mount(dir, text)
	} else if err := os.WriteFile(e.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := slices.Clone(x.Args)
	replace(t, args, "-config", e.Config)
	replace(t, args, "-data", e.Data)
	e.run = exec.Command(bin, args...)
	e.run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	for name, value := range x.Env {
		e.run.Env = append(e.run.Env, name+"="+value)
	}
	e.run.Stdout, e.run.Stderr = &e.output, &e.output
	if err := e.run.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { e.ended <- e.run.Wait() }()
	t.Cleanup(func() {
		e.Stop()
		_ = os.RemoveAll(dir)
	})
	Eventually(t, "ehc answers", func() error {
		_, err := e.Status()
		return err
	})
	return e
}

// replace puts value after a flag that must be there.
func replace(t testing.TB, args []string, flag, value string) {
	t.Helper()
	i := slices.Index(args, flag)
	if i < 0 || i+1 >= len(args) {
		t.Fatalf("the command %q has no %s", args, flag)
	}
	args[i+1] = value
}

// listens is the telemetry listener of a file.
var listens = regexp.MustCompile(`listen = "\[::\]:\d+"`)

// here is the text with ports of the test's, on loopback, and no DNS server that
// anybody has.
func (e *Ehc) here(text string) string {
	e.t.Helper()
	if !strings.Contains(text, "node {\n") || !listens.MatchString(text) {
		e.t.Fatalf("the file has no node block, or no telemetry at [::]:\n%s", text)
	}
	e.Telemetry = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port.Free(e.t))))
	text = strings.Replace(text, "node {\n", fmt.Sprintf("node {\n  epmd_port = %d\n", port.Free(e.t)), 1)
	text = listens.ReplaceAllString(text, fmt.Sprintf("listen = %q", e.Telemetry))
	return text + fmt.Sprintf("\ndns {\n  servers = [\"127.0.0.1:%d\"]\n  timeout = \"200ms\"\n}\n", port.Free(e.t))
}

// Status asks how things stand.
func (e *Ehc) Status() (api.Status, error) {
	client := api.NewClient(api.SocketIn(e.Data))
	defer client.Close()
	return client.Status(e.t.Context())
}

// Get asks the telemetry listener, and returns the status.
func (e *Ehc) Get(path string) (int, error) {
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.Telemetry+path, nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// Hangup sends SIGHUP.
func (e *Ehc) Hangup() { _ = e.run.Process.Signal(syscall.SIGHUP) }

// Stop ends ehc with SIGTERM, once, and fails the test if it does not end well.
func (e *Ehc) Stop() {
	e.t.Helper()
	e.stop.Do(func() {
		_ = e.run.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-e.ended:
			if err != nil {
				e.t.Errorf("ehc ended with %v", err)
			}
		case <-time.After(patience):
			_ = e.run.Process.Kill()
			e.t.Errorf("ehc did not stop on SIGTERM; killed: %v", <-e.ended)
		}
		if e.t.Failed() {
			e.t.Logf("its output:\n%s", e.output.String())
		}
	})
}

// Eventually tries until there is no error.
func Eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-pause.C:
		case <-limit.C:
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
	}
}

// output may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
