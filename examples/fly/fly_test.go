// Package fly_test holds the files of this folder against ehc and against each
// other. What ehc makes of a network like Fly's is in box.
package fly_test

import (
	"debug/elf"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ehc/examples/deploytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flyToml is what the fly.toml may have. A key that is not here fails the test.
type flyToml struct {
	App         string            `toml:"app"`
	Region      string            `toml:"primary_region"`
	KillSignal  string            `toml:"kill_signal"`
	KillTimeout int               `toml:"kill_timeout"` // seconds
	Build       map[string]string `toml:"build"`
	Deploy      map[string]string `toml:"deploy"`
	Env         map[string]string `toml:"env"`
	Processes   map[string]string `toml:"processes"`
	Mounts      []struct {
		Source      string   `toml:"source"`
		Destination string   `toml:"destination"`
		Processes   []string `toml:"processes"`
		InitialSize string   `toml:"initial_size"`
		Retention   int      `toml:"snapshot_retention"` // days
		Threshold   int      `toml:"auto_extend_size_threshold"`
		Increment   string   `toml:"auto_extend_size_increment"`
		Limit       string   `toml:"auto_extend_size_limit"`
	} `toml:"mounts"`
	Restart []struct {
		Policy    string   `toml:"policy"`
		Processes []string `toml:"processes"`
	} `toml:"restart"`
	VM []struct {
		Size      string   `toml:"size"`
		Memory    string   `toml:"memory"`
		Processes []string `toml:"processes"`
	} `toml:"vm"`
	Checks  map[string]check `toml:"checks"`
	Metrics struct {
		Port int    `toml:"port"`
		Path string `toml:"path"`
	} `toml:"metrics"`
}

type check struct {
	Type      string   `toml:"type"`
	Port      int      `toml:"port"`
	Path      string   `toml:"path"`
	Interval  string   `toml:"interval"`
	Timeout   string   `toml:"timeout"`
	Grace     string   `toml:"grace_period"`
	Processes []string `toml:"processes"`
}

func readToml(t *testing.T) flyToml {
	t.Helper()
	var f flyToml
	meta, err := toml.DecodeFile("fly.toml", &f)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		t.Errorf("fly.toml has keys that this test does not know: %v", unknown)
	}
	return f
}

// machine is what Fly gives a machine beside the fly.toml's env.
func machine(f flyToml) map[string]string {
	env := map[string]string{
		"FLY_APP_NAME": f.App, "FLY_MACHINE_ID": "683d314fdd4d68", "FLY_REGION": f.Region,
		"FLY_PRIVATE_IP": "127.0.0.1", "RELEASE_COOKIE": "fly-cookie-5772",
	}
	for name, value := range f.Env {
		env[name] = value
	}
	return env
}

func TestFlyTomlAgreesWithTheOtherFiles(t *testing.T) {
	f := readToml(t)
	spec := deploytest.Parse(t, "cluster.hcl", deploytest.ReadFile(t, "cluster.hcl"), machine(f))
	group := []string{"controller"}
	if len(f.Processes) != 1 || f.Processes["controller"] == "" {
		t.Fatalf("processes = %v, want the controller alone: each has a machine of its own", f.Processes)
	}
	if f.KillSignal != "SIGTERM" || f.KillTimeout < 10 {
		t.Errorf("kill_signal %q, kill_timeout %d", f.KillSignal, f.KillTimeout)
	}
	if len(f.Restart) != 1 || f.Restart[0].Policy != "always" || !slices.Equal(f.Restart[0].Processes, group) {
		t.Errorf("restart = %+v, want always", f.Restart)
	}
	if len(f.Mounts) != 1 || f.Mounts[0].Destination != f.Env["EHC_DATA"] || !slices.Equal(f.Mounts[0].Processes, group) {
		t.Errorf("mounts = %+v, want one at EHC_DATA, %s", f.Mounts, f.Env["EHC_DATA"])
	}
	if args := strings.Fields(f.Processes["controller"]); args[slices.Index(args, "-data")+1] != f.Env["EHC_DATA"] {
		t.Errorf("the command %q has another data folder than EHC_DATA, %s", args, f.Env["EHC_DATA"])
	}
	port := int(spec.Telemetry.Listen.Port())
	if !spec.Telemetry.Listen.Addr().IsUnspecified() || port != f.Metrics.Port || f.Metrics.Path != "/metrics" {
		t.Errorf("metrics = %+v, telemetry listens at %s", f.Metrics, spec.Telemetry.Listen)
	}
	paths := map[string]string{}
	for name, c := range f.Checks {
		paths[name] = c.Path
		if c.Type != "http" || c.Port != port || !slices.Equal(c.Processes, group) {
			t.Errorf("check %s = %+v, telemetry listens at %s", name, c, spec.Telemetry.Listen)
		}
		for _, text := range []string{c.Interval, c.Timeout, c.Grace} {
			if _, err := time.ParseDuration(text); err != nil {
				t.Errorf("check %s: %v", name, err)
			}
		}
	}
	if diff := cmp.Diff(map[string]string{"alive": "/healthz", "ready": "/readyz"}, paths); diff != "" {
		t.Errorf("checks: %s", diff)
	}
	var queries []string
	for _, app := range spec.Apps {
		for _, q := range app.Queries {
			queries = append(queries, q.Text)
		}
	}
	if diff := cmp.Diff([]string{"fly:aayush-event-horizon", "fly:phoenix-aayushsahu"}, queries); diff != "" {
		t.Errorf("queries: %s", diff)
	}
}

// TestTheDockerfile reads the stages by what they are made of.
func TestTheDockerfile(t *testing.T) {
	f := readToml(t)
	text := deploytest.ReadFile(t, "Dockerfile")
	stages := regexp.MustCompile(`(?m)^FROM (\S+) AS (\S+)$`).FindAllStringSubmatch(text, -1)
	bases := map[string]string{}
	for _, s := range stages {
		bases[s[2]] = s[1]
	}
	if last := stages[len(stages)-1][2]; last != f.Build["build-target"] || bases[last] != "scratch" || bases["litestream"] != "scratch" {
		t.Errorf("the last stage is %s, fly.toml wants %s; bases: %v", last, f.Build["build-target"], bases)
	}
	body := strings.SplitAfter(text, "FROM scratch")
	for _, stage := range body[1:] {
		if !strings.Contains(stage, "\nUSER 65532:65532\n") {
			t.Errorf("a stage runs as root:\n%s", stage)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "RUN") && regexp.MustCompile(`\b(curl|wget|apt-get|apk)\b`).MatchString(line) {
			t.Errorf("the image fetches more than Go modules: %s", line)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(text, -1) {
		for _, source := range strings.Fields(line[1]) {
			if _, err := os.Stat(filepath.Join(deploytest.Root, source)); err != nil {
				t.Errorf("COPY %s: %v", source, err)
			}
		}
	}
	// Beside Litestream ehc runs by the same command, in the image and in the README.
	beside := "/ehc " + f.Processes["controller"]
	for file, want := range map[string]string{
		"Dockerfile": fmt.Sprintf(`"-restore-if-db-not-exists", "-exec", %q]`, beside),
		"README.md":  fmt.Sprintf(`-restore-if-db-not-exists -exec %q'`, beside),
	} {
		if !strings.Contains(deploytest.ReadFile(t, file), want) {
			t.Errorf("%s has no %s", file, want)
		}
	}
	// The command of the image is that of fly.toml.
	var words []string
	for _, w := range strings.Fields(f.Processes["controller"]) {
		words = append(words, fmt.Sprintf("%q", w))
	}
	if want := "CMD [" + strings.Join(words, ", ") + "]\n"; !strings.HasSuffix(text, "ENTRYPOINT [\"/ehc\"]\n"+want) {
		t.Errorf("the image does not end with its entrypoint and %s", want)
	}
}

// TestTheImageRunsAsFlyRunsIt builds the binary by the Dockerfile's line and runs
// it by the command of fly.toml.
func TestTheImageRunsAsFlyRunsIt(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	f := readToml(t)
	bin := deploytest.Build(t)
	image, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if libraries, err := image.ImportedLibraries(); err != nil || len(libraries) > 0 || image.Section(".interp") != nil {
		t.Errorf("the binary is not static: it needs %v, error %v", libraries, err)
	}
	if info, err := os.Stat(bin); err != nil || info.Size() > 30_000_000 {
		t.Errorf("the binary has %d bytes, more than the README says (error %v)", info.Size(), err)
	}
	e := deploytest.Start(t, bin, deploytest.Example{
		Args: strings.Fields(f.Processes["controller"]), HCL: deploytest.ReadFile(t, "cluster.hcl"), Env: machine(f),
	})
	for _, path := range []string{f.Metrics.Path, f.Checks["alive"].Path, f.Checks["ready"].Path} {
		deploytest.Eventually(t, path+" is fine", func() error {
			code, err := e.Get(path)
			if err == nil && code != http.StatusOK {
				err = fmt.Errorf("status %d", code)
			}
			return err
		})
	}
	s, err := e.Status()
	if err != nil || s.Node != "ehc-683d314fdd4d68@127.0.0.1" || len(s.Apps) != 2 {
		t.Errorf("status = %+v, error %v", s, err)
	}
	e.Stop()
}
