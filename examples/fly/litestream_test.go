package fly_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/examples/deploytest"
	"ehc/transport/transporttest/port"
)

// replicated is ehc under Litestream, as on Fly, with a folder for a bucket.
type replicated struct {
	t       *testing.T
	dir     string // short, for the sockets in it
	ehc     string
	program string // Litestream
	run     *exec.Cmd
	output  bytes.Buffer
	ended   chan error
}

// TestLitestreamOutlivesTheVolume replicates a busy outbox, takes the volume away
// and finds every event again; of what was emitted after the last sync at least the
// beginning, and nothing else.
func TestLitestreamOutlivesTheVolume(t *testing.T) {
	program := os.Getenv("EHC_LITESTREAM")
	if program == "" {
		t.Skip("runs Litestream: make test-litestream")
	}
	dir, err := os.MkdirTemp("", "ehc-ls-")
	if err != nil {
		t.Fatal(err)
	}
	r := &replicated{t: t, dir: dir, ehc: deploytest.Build(t), program: program}
	t.Cleanup(func() {
		r.kill()
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("output:\n%s", r.output.String())
		}
	})
	r.start()
	want := r.emit(20_000) // the log is copied back again and again meanwhile
	r.stop()
	r.start() // on the same volume
	want = append(want, r.emit(500)...)
	r.must("its events", want)

	r.sync()
	r.lose()
	r.start()
	r.must("after the loss of the volume", want)

	want = append(want, r.emit(500)...)
	r.sync()
	late := append(slices.Clone(want), r.emit(500)...)
	r.lose()
	r.start()
	got := r.waiting()
	if len(got) < len(want) || len(got) > len(late) || !slices.Equal(got, late[:len(got)]) {
		t.Errorf("%d events are left of %d that were synced and %d that were emitted, or others", len(got), len(want), len(late))
	}
	t.Logf("of 500 events emitted at the very end %d are left", len(got)-len(want))
}

func (r *replicated) data() string { return filepath.Join(r.dir, "data") }

func (r *replicated) environ() []string {
	return append(os.Environ(), "EHC_DATA="+r.data(), "REPLICA_URL=file://"+filepath.Join(r.dir, "bucket"), "RELEASE_COOKIE=litestream-1618")
}

func (r *replicated) start() {
	r.t.Helper()
	if err := os.MkdirAll(r.data(), 0o700); err != nil { // the volume
		r.t.Fatal(err)
	}
	config := filepath.Join(r.dir, "cluster.hcl")
	text := fmt.Sprintf(`node {
  name      = "ehc@127.0.0.1"
  cookie    = env("RELEASE_COOKIE")
  epmd_port = %d
}
peer "phoenix" {
  queries = ["static:phoenix@127.0.0.1"]
  deliver {}
}
`, port.Free(r.t))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.run = exec.Command(r.program, "replicate", "-config", "litestream.yml", "-restore-if-db-not-exists",
		"-exec", fmt.Sprintf("%s run -config %s -data %s", r.ehc, config, r.data()))
	r.run.Env, r.run.Stdout, r.run.Stderr = r.environ(), &r.output, &r.output
	r.run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.run.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.ended = make(chan error, 1)
	go func(run *exec.Cmd, ended chan error) { ended <- run.Wait() }(r.run, r.ended)
	client := api.NewClient(api.SocketIn(r.data()))
	defer client.Close()
	deploytest.Eventually(r.t, "ehc answers", func() error {
		_, err := client.Status(r.t.Context())
		return err
	})
}

// stop ends both as Fly does.
func (r *replicated) stop() {
	r.t.Helper()
	_ = r.run.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("ended with %v", err)
		}
		r.run = nil
	case <-time.After(5 * time.Minute):
		r.t.Error("did not stop on SIGTERM")
		r.kill()
	}
}

// kill ends both with kill -9.
func (r *replicated) kill() {
	if r.run == nil {
		return
	}
	_ = syscall.Kill(-r.run.Process.Pid, syscall.SIGKILL)
	<-r.ended
	r.run = nil
}

// lose kills both and takes the volume away.
func (r *replicated) lose() {
	r.t.Helper()
	r.kill()
	if err := os.RemoveAll(r.data()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *replicated) tell(program string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), program, args...)
	cmd.Env = r.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// sync returns when the bucket has everything.
func (r *replicated) sync() {
	r.t.Helper()
	r.tell(r.program, "sync", "-wait", "-timeout", "120", "-socket", filepath.Join(r.data(), "litestream.sock"), filepath.Join(r.data(), "ehc.db"))
}

func (r *replicated) emit(n int) []string {
	r.t.Helper()
	client := api.NewClient(api.SocketIn(r.data()))
	defer client.Close()
	var ids []string
	for ; n > 0; n -= 500 {
		var events []api.Event
		for i := range min(n, 500) {
			page := strconv.Itoa(i) + strings.Repeat("x", 200)
			events = append(events, api.Event{Type: "increment_visit", Payload: json.RawMessage(`{"page_id":"/` + page + `","delta":1}`)})
		}
		answer, err := client.Emit(r.t.Context(), api.EmitRequest{Events: events})
		if err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, answer.IDs...)
	}
	return ids
}

// waiting are the ids of the events that wait, oldest first.
func (r *replicated) waiting() []string {
	r.t.Helper()
	var ids []string
	for line := range strings.Lines(r.tell(r.ehc, "outbox", "export")) {
		var e api.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("export: %v: %s", err, line)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

// must checks what waits, that it is intact, and that ehc is content.
func (r *replicated) must(when string, want []string) {
	r.t.Helper()
	if got := r.waiting(); !slices.Equal(got, want) {
		r.t.Fatalf("%s: %d events wait, want %d, or others", when, len(got), len(want))
	}
	client := api.NewClient(api.SocketIn(r.data()))
	defer client.Close()
	s, err := client.Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range s.Apps[0].Conditions {
		if c.Type == "OutboxIntact" && c.Status != "True" {
			r.t.Errorf("%s: %+v", when, c)
		}
	}
	for _, w := range s.Warnings {
		if strings.Contains(w, "lost") && strings.Contains(w, "commit") {
			r.t.Errorf("%s: %s", when, w)
		}
	}
}
