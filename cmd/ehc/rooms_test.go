package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// room is what one package may import of ours, and what its tests may import
// beside that. A name that ends in /... stands for all below it as well.
type room struct {
	may   []string
	tests []string
}

// rooms is the table of who may know whom. A package without a room fails the
// test: give it one, with a thought.
//
//	cmd ─▶ controller ─▶ reconcile ─▶ state        transport knows none of them
var rooms = map[string]room{
	"cmd/ehc": {may: []string{
		"controller/...", "reconcile", "state/...", "transport", "transport/epmd", "transport/ergonode", "transport/etf",
	}, tests: []string{"transport/transporttest/..."}},

	"controller": {may: []string{
		"controller/api", "controller/discover", "controller/doctor", "controller/history", "controller/telemetry",
		"controller/termjson", "controller/topics", "reconcile", "state/...", "transport", "transport/etf", "transport/pubsub",
	}, tests: []string{"transport/ergonode", "transport/transporttest/...", "controller/discover/zone", "controller/api/apitest"}},
	"controller/api":         {tests: []string{"controller/api/apitest"}},
	"controller/api/apitest": {}, // for tests alone
	"controller/api/web":     {tests: []string{"controller/api"}},
	"controller/history":     {},
	"controller/doctor": {
		may:   []string{"controller/discover", "state", "state/disk", "transport", "transport/epmd", "transport/etf"},
		tests: []string{"controller/discover/zone", "transport/ergonode", "transport/transporttest/..."},
	},
	"controller/discover": {
		may:   []string{"state", "transport", "transport/epmd"},
		tests: []string{"controller/discover/zone", "transport/transporttest/..."},
	},
	"controller/discover/zone": {},
	"controller/telemetry": {may: []string{
		"controller/api", "controller/discover", "reconcile", "state", "state/disk", "state/outbox", "transport",
	}},
	"controller/termjson": {may: []string{"transport/etf"}},
	"controller/topics":   {may: []string{"controller/termjson", "transport", "transport/pubsub"}, tests: []string{"transport/etf"}},

	"reconcile": {may: []string{"state"}},

	"state":        {},
	"state/spec":   {may: []string{"state"}},
	"state/disk":   {tests: []string{"state/disk/disktest"}},
	"state/outbox": {may: []string{"state", "state/disk"}, tests: []string{"state/disk/disktest"}},
	"state/inbox":  {may: []string{"state", "state/disk"}, tests: []string{"state/disk/disktest"}},

	"state/disk/disktest": {}, // stands between SQLite and the files, so it knows SQLite's insides and nothing of ours

	"transport":        {},
	"transport/etf":    {tests: []string{"transport/transporttest/..."}},
	"transport/dist":   {may: []string{"transport", "transport/etf"}, tests: []string{"transport/epmd", "transport/transporttest/..."}},
	"transport/epmd":   {may: []string{"transport"}, tests: []string{"transport/transporttest/..."}},
	"transport/pubsub": {may: []string{"transport", "transport/etf"}, tests: []string{"transport/transporttest/..."}},
	"transport/ergonode": {
		may:   []string{"transport", "transport/dist", "transport/epmd", "transport/etf", "transport/pubsub"},
		tests: []string{"transport/transporttest/..."},
	},
	"transport/transporttest":        {may: []string{"transport", "transport/etf", "transport/transporttest/port"}},
	"transport/transporttest/beam":   {may: []string{"transport/transporttest/port"}},
	"transport/transporttest/port":   {},
	"transport/transporttest/corpus": {},
}

// doors says where each outside library may come in. A library without a door
// fails the test.
var doors = map[string][]string{
	"github.com/hashicorp/go-memdb":       {"state"},
	"github.com/hashicorp/hcl/v2":         {"state/spec"},
	"github.com/zclconf/go-cty":           {"state/spec"},
	"modernc.org/sqlite":                  {"state/disk", "state/disk/disktest"},
	"modernc.org/libc":                    {"state/disk/disktest"}, // what SQLite was translated with
	"golang.org/x/sys":                    {"state/disk", "tests"},
	"github.com/oklog/ulid/v2":            {"state/outbox"},
	"github.com/miekg/dns":                {"controller/discover", "controller/discover/zone"},
	"github.com/fsnotify/fsnotify":        {"controller"},
	"github.com/ergo-services/ergo":       {"transport/ergonode"},
	"github.com/spf13/cobra":              {"cmd/ehc"},
	"github.com/spf13/pflag":              {"cmd/ehc"}, // cobra's flags
	"golang.org/x/term":                   {"cmd/ehc"},
	"github.com/hashicorp/go-hclog":       {"controller", "cmd/ehc", "controller/telemetry", "transport/ergonode"}, // the last hands it to ergo
	"github.com/chromedp/chromedp":        {"tests"},                                                               // a real browser
	"github.com/chromedp/cdproto":         {"tests"},
	"github.com/prometheus/common":        {"tests"},
	"github.com/prometheus/prometheus":    {"tests"}, // PromQL's parser
	"github.com/prometheus/client_golang": {"controller/telemetry"},
	"go.opentelemetry.io/otel":            {"controller/telemetry"},
	"github.com/go-logr/logr":             {"controller/telemetry"}, // what OpenTelemetry logs by
	"go.opentelemetry.io/proto/otlp":      {"tests"},
	"google.golang.org/protobuf":          {"tests"},
	"golang.org/x/sync":                   {"..."},
	"github.com/BurntSushi/toml":          {"tests"},
	"github.com/google/go-cmp":            {"tests", "transport/transporttest"},
	"pgregory.net/rapid":                  {"tests"},
	"go.uber.org/goleak":                  {"tests"},
	"github.com/rogpeppe/go-internal":     {"tests"},

	"go.yaml.in/yaml/v3":                       {"controller/api/apitest", "tests"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"controller/api/apitest"},
}

func TestEveryPackageKeepsToItsRoom(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "ehc/")
		if strings.HasPrefix(name, "examples/") {
			continue // they may show anything
		}
		r, ok := rooms[name]
		if !ok {
			t.Errorf("package %s has no room", name)
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, "ehc/"); ok && !covers(r.may, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
		}
		for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
			if ours, ok := strings.CutPrefix(i, "ehc/"); ok && ours != name && !covers(slices.Concat(r.may, r.tests), ours) {
				t.Errorf("a test of %s imports %s", name, ours)
			}
		}
	}
}

func TestEveryLibraryHasOneDoor(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "ehc/")
		for _, i := range p.Imports {
			checkDoor(t, name, i, false)
		}
		for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
			checkDoor(t, name, i, true)
		}
	}
}

func checkDoor(t *testing.T, name, imported string, test bool) {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return // ours, or the standard library's
	}
	for library, where := range doors {
		if imported == library || strings.HasPrefix(imported, library+"/") {
			if !covers(where, name) && (!test || !slices.Contains(where, "tests")) {
				t.Errorf("%s (test %v) imports %s, whose door is %q", name, test, imported, where)
			}
			return
		}
	}
	t.Errorf("%s imports %s, which has no door", name, imported)
}

// covers says whether name is among names, of which one may end in "...".
func covers(names []string, name string) bool {
	for _, n := range names {
		all, ok := strings.CutSuffix(n, "...")
		if n == name || ok && strings.HasPrefix(name+"/", all) {
			return true
		}
	}
	return false
}

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// packages lists every package of ours.
func packages(t *testing.T) []listed {
	t.Helper()
	const root = "../.."
	// Reading the folders lets go test see that a cached result is out of date.
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another test's, and gone by now
		}
		if err == nil && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	c.Dir = root
	out, err := c.Output()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			t.Fatalf("go list: %s", ended.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}
