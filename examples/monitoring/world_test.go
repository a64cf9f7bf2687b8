package monitoring_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"ehc/controller/api"
	"ehc/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait.
const patience = 5 * time.Minute

const file = `
node {
  name      = "%s@127.0.0.1"
  cookie    = env("TEST_COOKIE")
  epmd_port = %d
}
dns {
  servers  = ["127.0.0.1:%d"]
  interval = "100ms"
  timeout  = "100ms"
}
telemetry {
  listen = "127.0.0.1:%d"
}
%s`

// scraped is a scrape of a controller that has connected, delivered, failed to dial
// and to look up, taken events of another, and answered its API.
//
// It has sent its traces to spans, and the event whose id is returned was delivered.
func scraped(t *testing.T, spans *spans) (s series, event string) {
	t.Helper()
	epmd, dns := transporttest.FreePort(t), transporttest.FreePort(t) // nobody answers DNS there
	write := func(name, blocks string, metrics uint16) (dir string) {
		dir, err := os.MkdirTemp("", "ehc-") // a socket's path must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		text := fmt.Sprintf(file, name, epmd, dns, metrics, blocks)
		if err := os.WriteFile(filepath.Join(dir, "cluster.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	at := transporttest.FreePort(t)
	bin := build(t)
	theirs := write("theirs", `
receive {}
peer "ours" {
  queries = ["static:ours@127.0.0.1"]
  deliver {}
}`, transporttest.FreePort(t))
	ours := write("ours", `
receive {}
pubsub "Some.PubSub" { topics = ["metrics:*"] }
peer "theirs" {
  queries = ["static:theirs@127.0.0.1"]
  deliver {}
}
peer "gone" { queries = ["static:gone@127.0.0.1", "gone.internal"] }`, at)
	run(t, bin, theirs)
	run(t, bin, ours, "OTEL_EXPORTER_OTLP_ENDPOINT="+spans.receive(t), "OTEL_BSP_SCHEDULE_DELAY=100")

	awaitReady(t, at)
	for _, dir := range []string{ours, theirs} {
		c := api.NewClient(api.SocketIn(dir))
		defer c.Close()
		limit, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got, err := c.Emit(limit, api.EmitRequest{Wait: "delivered", Events: []api.Event{
			{Type: "increment_visit", Payload: []byte(`{"page_id":"/blog","delta":1}`)},
		}})
		if err != nil || !got.Delivered {
			t.Fatalf("emit: %+v, %v", got, err)
		}
		if dir == ours {
			event = got.IDs[0]
		}
	}
	wanted := documented(t)
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // some is counted a moment after its answer
		s = scrape(t, at)
		lacking := s.lacking(wanted)
		if len(lacking) == 0 {
			return s, event
		}
		if time.Now().After(end) {
			t.Fatalf("not there, or not counted: %s", lacking)
		}
	}
}

// build builds ehc.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ehc")
	if out, err := exec.Command("go", "build", "-o", bin, "ehc/cmd/ehc").CombinedOutput(); err != nil {
		t.Fatalf("build ehc: %v\n%s", err, out)
	}
	return bin
}

// run runs a controller on the file in dir until the test ends.
func run(t *testing.T, bin, dir string, env ...string) {
	t.Helper()
	var log bytes.Buffer
	c := exec.Command(bin, "run", "-config", filepath.Join(dir, "cluster.hcl"), "-data", dir)
	c.Env = append(append(os.Environ(), "TEST_COOKIE=monster-of-the-test"), env...)
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil || t.Failed() {
			t.Errorf("%s: %v\n%s", dir, err, log.String())
		}
	})
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// awaitReady waits until the controller says that it is ready, and asks whether it
// is well.
func awaitReady(t *testing.T, port uint16) {
	t.Helper()
	last := ""
	await(t, "ready", func() bool {
		status, text, err := get(t, port, "/readyz")
		last = text
		return err == nil && status == http.StatusOK
	})
	if want := "ok store\nok lookups\nok node\n"; last != want {
		t.Errorf("/readyz: %q", last)
	}
	if status, text, err := get(t, port, "/healthz"); err != nil || status != http.StatusOK || text != "ok loop\nok store\n" {
		t.Errorf("/healthz: %d %q %v", status, text, err)
	}
	if status, _, err := get(t, port, "/v1/status"); err != nil || status != http.StatusNotFound {
		t.Errorf("/v1/status without a token: %d %v", status, err)
	}
}

func get(t *testing.T, port uint16, path string) (int, string, error) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(limit, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// scrape reads every sample.
func scrape(t *testing.T, port uint16) series {
	t.Helper()
	status, text, err := get(t, port, "/metrics")
	if err != nil || status != http.StatusOK {
		t.Fatalf("/metrics: %d %v", status, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, slices.Collect(maps.Values(families))...)
	if err != nil {
		t.Fatal(err)
	}
	s := series{}
	for _, one := range samples {
		name, labels := string(one.Metric[model.MetricNameLabel]), map[string]string{}
		for label, value := range one.Metric {
			if label != model.MetricNameLabel {
				labels[string(label)] = string(value)
			}
		}
		s[name] = append(s[name], sample{labels: labels, value: float64(one.Value)})
	}
	return s
}
