package box_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ehc/controller/api"
	"ehc/transport/transporttest/beam"
)

// ticktime is net_ticktime of the peers, and tick of ehc's, in seconds.
const ticktime = "8"

// world is the network with ehc and two apps on it.
type world struct {
	*network
	dir     string // short, for the socket in it
	bin     string
	config  string
	modules string // of the apps, compiled
	ehc     *machine
	run     *process // ehc's; nil while it does not run
	log     *logBuffer
	emitted []string // ids, in order

	litestream string // the program, if ehc runs beside it
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needBox(t)
	beam.Need(t)
	dir, err := os.MkdirTemp("", "ehc-box-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{network: newNetwork(t), dir: dir, bin: filepath.Join(dir, "ehc"), log: &logBuffer{}}
	if out, err := exec.Command("go", "build", "-race", "-o", w.bin, "ehc/cmd/ehc").CombinedOutput(); err != nil {
		t.Fatalf("build ehc: %v\n%s", err, out)
	}
	for _, folder := range []string{"database/rows", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.config = w.file("cluster.hcl", quick(t))
	w.file("resolv.conf", "nameserver "+resolverAt.String()+"\n")
	w.modules = beam.CompileElixir(t, "phoenix.ex")
	w.ehc = w.create("my-ehc", "yyz")
	t.Cleanup(w.review)
	return w
}

func (w *world) file(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// quick is the example's cluster.hcl with a shorter patience.
func quick(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../cluster.hcl")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for old, now := range map[string]string{
		"node {\n":              "node {\n  tick = \"" + ticktime + "s\"\n",
		"  format = \"json\"\n": "  level = \"debug\"\n",
		"  match   = \"aayush-event-horizon-*\"\n": "  match   = \"aayush-event-horizon-*\"\n  prune { after = \"2s\" }\n",
		"  match = \"phoenix-aayushsahu-*\"\n":     "  match = \"phoenix-aayushsahu-*\"\n  prune { after = \"2s\" }\n",
	} {
		if strings.Count(text, old) != 1 {
			t.Fatalf("the example has not one %q", old)
		}
		text = strings.Replace(text, old, now, 1)
	}
	return text + "dns {\n  interval = \"500ms\"\n  timeout = \"1s\"\n}\n"
}

// app starts a Machine of an app.
func (w *world) app(name, region, image string) *machine {
	w.t.Helper()
	m := w.create(name, region)
	w.boot(m, image)
	return m
}

func (w *world) boot(m *machine, image string) {
	w.t.Helper()
	m.boot(image, w.modules, "DATABASE="+filepath.Join(w.dir, "database"))
}

// start starts ehc on its Machine, where the resolver is the system's, and returns
// when it answers.
func (w *world) start() {
	w.t.Helper()
	const asOnFly = `mount --bind "$1" /etc/resolv.conf && shift && exec "$@"`
	command := []string{w.bin, "run", "-config", w.config, "-data", w.data()}
	if w.litestream != "" {
		command = []string{w.litestream, "replicate", "-config", "../litestream.yml", "-restore-if-db-not-exists",
			"-exec", strings.Join(command, " ")}
	}
	cmd := exec.Command("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", asOnFly, "sh",
		filepath.Join(w.dir, "resolv.conf")}, command...)...)
	cmd.Env = w.environ()
	cmd.Stdout, cmd.Stderr = w.log, w.log
	w.run = w.ehc.launch(w.t, cmd)
	w.t.Cleanup(w.end) // before the space that it runs in
	w.ehc.listed = true
	w.publish()
	w.eventually("ehc answers", func() bool {
		client := api.NewClient(api.SocketIn(w.data()))
		defer client.Close()
		_, err := client.Status(w.t.Context())
		return err == nil
	})
}

// kill ends ehc with kill -9.
func (w *world) kill() {
	w.run.kill()
	w.run = nil
}

// end ends ehc as Fly does, if it runs.
func (w *world) end() {
	if w.run == nil {
		return
	}
	_ = w.run.cmd.Process.Signal(syscall.SIGTERM) // and to nothing that it has started
	select {
	case <-w.run.ended:
		if w.run.err != nil {
			w.t.Errorf("ehc ended with %v", w.run.err)
		}
	case <-time.After(patience):
		w.t.Error("ehc did not stop on SIGTERM")
	}
	w.kill()
}

// review looks through ehc's log.
func (w *world) review() {
	log := w.log.String()
	if w.t.Failed() {
		w.t.Logf("ehc's log:\n%s", log)
	}
	if strings.Contains(log, cookie) {
		w.t.Error("the log shows the cookie")
	}
	if strings.Contains(log, "DATA RACE") {
		w.t.Errorf("ehc has a data race:\n%s", log)
	}
}

func (w *world) data() string { return filepath.Join(w.dir, "data") }

// environ is what Fly gives a Machine, and its secrets.
func (w *world) environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GORACE=atexit_sleep_ms=0",
		"FLY_APP_NAME=" + w.ehc.app, "FLY_MACHINE_ID=" + w.ehc.id, "FLY_ALLOC_ID=" + w.ehc.id, "FLY_REGION=" + w.ehc.region,
		"FLY_PRIVATE_IP=" + w.ehc.addr.String(), "FLY_PROCESS_GROUP=app", "RELEASE_COOKIE=" + cookie, "EHC_DATA=" + w.data(),
		"REPLICA_URL=file://" + filepath.Join(w.dir, "bucket"),
	}
}

// patience is how long to wait for what takes seconds on a machine at leisure.
const patience = 5 * time.Minute

// eventually waits for a condition.
func (n *network) eventually(what string, holds func() bool) {
	n.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	pause := time.NewTicker(200 * time.Millisecond)
	defer pause.Stop()
	for !holds() {
		select {
		case <-pause.C:
		case <-limit.C:
			n.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// step says in the test's output what is about to happen.
func (w *world) step(format string, args ...any) {
	w.t.Helper()
	w.t.Logf("── "+format, args...)
	fmt.Fprintf(w.log, "── "+format+"\n", args...)
}
