package spec

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is the world of the files in testdata.
var golden = world(map[string]string{
	"RELEASE_COOKIE":   "SESAME-of-the-env",
	"PLAIN":            "SESAME plain",
	"LONG_COOKIE":      strings.Repeat("SESAME", 50),
	"EHC_VAR_replicas": "SESAME",
}, map[string]string{
	"cookie.txt": "SESAME-of-the-file\n",
	"two-lines":  "SESAME\nSESAME",
})

func TestDiagnosticsReadAsInTheGoldenFiles(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		anew := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
		for _, f := range archive.Files {
			name, isCase := strings.CutSuffix(f.Name, ".hcl")
			if !isCase {
				continue
			}
			got := said(f.Data)
			anew.Files = append(anew.Files, f, txtar.File{Name: name + ".txt", Data: []byte(got)})
			if !*update {
				t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+name, func(t *testing.T) {
					if diff := cmp.Diff(want[name+".txt"], got); diff != "" {
						t.Errorf("got:\n%s\n%s", got, diff)
					}
					if strings.Contains(strings.ToUpper(got), "SESAM") {
						t.Error("it shows a cookie")
					}
				})
			}
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(anew), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// said is what is said about a file, which gets a node block if it has none.
func said(src []byte) string {
	if !strings.Contains(string(src), "node {") {
		src = append(append([]byte{}, src...), head...)
	}
	_, diags := Parse("cluster.hcl", src, golden)
	return diags.Text()
}

func TestErrorIsTheFirstErrorAndHowManyMoreThereAre(t *testing.T) {
	_, diags := Parse("cluster.hcl", []byte("node {\n  name = \"ehc\"\n  cookie = \"x\"\n}\nlog { level = \"loud\" }\ndns {\n  intervall = \"5s\"\n}\n"), Env{})
	want := `cluster.hcl:2:10: name in node: "ehc" is not of the form name@host (and 2 more)`
	err := diags.Err()
	var back Diagnostics
	if err == nil || err.Error() != want || !errors.As(err, &back) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestADiagnosticIsWrittenInColourOnDemand(t *testing.T) {
	_, diags := Parse("cluster.hcl", []byte(head+"log { level = \"loud\" }\n"), cookieSet)
	var b strings.Builder
	if err := diags.Write(&b, true); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.Contains(text, red+"error:"+plain) || !strings.Contains(text, red+"^^^^^^"+plain) {
		t.Errorf("no red in %q", text)
	}
	for _, code := range []string{plain, bold, red, yellow, faint} {
		text = strings.ReplaceAll(text, code, "")
	}
	if diff := cmp.Diff(diags.Text(), text); diff != "" {
		t.Errorf("the colours change the text: %s", diff)
	}
}

func TestADiagnosticHasJSONForEditors(t *testing.T) {
	_, diags := Parse("cluster.hcl", []byte(head+"log { level = \"wran\" }\n"), cookieSet)
	got, err := json.Marshal(diags)
	want := `[{"severity":"error","summary":"level in log: \"wran\" is not known","detail":"Did you mean \"warn\"?",` +
		`"file":"cluster.hcl","line":5,"column":15,"end_column":21,"source":"log { level = \"wran\" }"}]`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTooManyDiagnosticsAreCutOff(t *testing.T) {
	src := strings.Repeat("x {}\n", 500)
	_, diags := Parse("cluster.hcl", []byte(src), Env{})
	if len(diags) != maxReports || !strings.Contains(diags[maxReports-1].Summary, "more diagnostics") {
		t.Errorf("%d diagnostics, the last is %q", len(diags), diags[len(diags)-1].Summary)
	}
}

func TestAFileThatIsTooLongIsRefused(t *testing.T) {
	_, diags := Parse("cluster.hcl", make([]byte, maxSource+1), Env{})
	if !diags.HasErrors() || len(diags) != 1 {
		t.Error(diags.Text())
	}
}

func TestNothingOfTheSourceReachesATerminalAsACommand(t *testing.T) {
	for _, src := range []string{
		"log { level = \"\x1b[2J\" }",
		"log \"\x1b[2J\" {}",
		"peer \"\x1b[2J\" { quer\u202eies = 1 }",
		"log { level = \"\\u001b[2J\" } \x1b",
		"\x1b\x9b",
	} {
		text := said([]byte(src + "\n"))
		if text == "" || strings.ContainsAny(text, "\x1b\u009b\u202e") {
			t.Errorf("%q is said as %q", src, text)
		}
	}
}
