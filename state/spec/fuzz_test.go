package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzParse looks for text that makes the parser panic, say something about no
// place, or show the cookie.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		got, diags := Parse("cluster.hcl", src, golden)
		text := diags.Text()
		if strings.Contains(text, "SESAME-of-the") && !strings.Contains(string(src), "SESAME") {
			t.Errorf("it shows the cookie:\n%s", text)
		}
		if !diags.HasErrors() {
			if got.Node.Name == "" || len(got.Node.Cookies) == 0 {
				t.Error("a spec without a node")
			}
			if again, diags := Parse("cluster.hcl", Format(src), golden); diags.HasErrors() || Changed(got, again) != nil {
				t.Errorf("formatted, it asks for something else:\n%s", diags.Text())
			}
		}
		for _, d := range diags {
			if d.Summary == "" || d.Line > 0 && (d.Column < 1 || d.EndColumn <= d.Column) {
				t.Errorf("nothing is said, or of no place: %+v", d)
			}
		}
	})
}

func seed(f *testing.F) {
	text, err := os.ReadFile(referenceFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	archives, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".hcl") {
				f.Add(file.Data)
			}
		}
	}
}

func TestTextThatIsBuiltToHurtIsSurvived(t *testing.T) {
	const many = maxSource - 64
	for name, src := range map[string]string{
		"brackets":          "x = " + strings.Repeat("(", many),
		"nested blocks":     strings.Repeat("a{", many/2),
		"negations":         "x = " + strings.Repeat("!", many) + "true",
		"spaced negations":  "x = " + strings.Repeat("! ", many/2) + "true",
		"conditionals":      "x = " + strings.Repeat("a?b:", many/4) + "c",
		"sums":              "x = " + strings.Repeat("1+", many/2) + "1",
		"attributes":        "x = a" + strings.Repeat(".b", many/2),
		"indices":           "x = a" + strings.Repeat("[0]", many/3),
		"interpolations":    `x = "` + strings.Repeat("${", many/2),
		"template ifs":      `x = "` + strings.Repeat("%{if a}", many/32) + `"`,
		"fors":              "x = " + strings.Repeat("[for a in b:", many/13),
		"heredocs":          strings.Repeat("x = <<A\n", many/32),
		"large numbers":     "x = 1e999999999999",
		"large differences": "x = \"${1e99999999 - 1e99999999}\"",
		"large texts":       `x = "${1e99999999}"`,
		"large products":    `x = "${` + strings.Repeat("1e9*", many/8) + `1}"`,
		"formatted numbers": `x = format("%d", ` + strings.Repeat("1e9*", many/8) + `1)`,
		"quotes":            strings.Repeat(`"`, many/4),
		"nulls":             strings.Repeat("\x00", many/4),
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(src, "x = ") {
				src = "locals {\n" + src + "\n}" // else it is not evaluated
			}
			if _, diags := Parse("cluster.hcl", []byte(src), Env{}); !diags.HasErrors() {
				t.Error("no error")
			}
		})
	}
}
