package controller

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ehc/state/spec"
)

const configText = `
node {
  name   = "ehc@127.0.0.1"
  cookie = env("COOKIE")
}
peer "a" {
  queries = ["static:a@127.0.0.1"]
}
`

// place is a data folder and a watched file.
type place struct {
	t          *testing.T
	file, data string
	cookie     string
}

func newPlace(t *testing.T) *place {
	dir := t.TempDir()
	return &place{t: t, file: filepath.Join(dir, "cluster.hcl"), data: dir, cookie: "hush"}
}

func (p *place) write(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) open() (*Config, error) {
	return OpenConfig(p.file, p.data, spec.Env{Lookup: func(name string) (string, bool) {
		return p.cookie, name == "COOKIE" && p.cookie != ""
	}})
}

func (p *place) mustOpen() *Config {
	p.t.Helper()
	c, err := p.open()
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func appNames(c *Config) string {
	var names []string
	for _, a := range c.Spec().Apps {
		names = append(names, a.Name)
	}
	return strings.Join(names, " ")
}

func TestTheFileLastAppliedOutlivesARestart(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	c := p.mustOpen()
	if _, err := c.Apply("other.hcl", strings.ReplaceAll(configText, `"a"`, `"b"`)); err != nil {
		t.Fatal(err)
	}
	if got := appNames(p.mustOpen()); got != "b" {
		t.Errorf("after a restart the apps are %q, want b", got)
	}
	p.write(strings.ReplaceAll(configText, `"a"`, `"c"`))
	if got := appNames(p.mustOpen()); got != "c" {
		t.Errorf("with a changed file the apps are %q, want c", got)
	}
	if err := os.Remove(p.file); err != nil {
		t.Fatal(err)
	}
	if got := appNames(p.mustOpen()); got != "c" {
		t.Errorf("without the file the apps are %q, want c", got)
	}
}

func TestEachFilePutInForceHasTheNextGeneration(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	c := p.mustOpen()
	if g := c.Spec().Generation; g != 1 {
		t.Errorf("the first file has generation %d", g)
	}
	if _, err := c.Apply("x.hcl", "peer {"); err == nil {
		t.Error("a broken file was applied")
	}
	if _, err := c.Apply("x.hcl", configText); err != nil {
		t.Fatal(err)
	}
	if g := c.Spec().Generation; g != 2 {
		t.Errorf("the second has %d", g)
	}
	if g := p.mustOpen().Spec().Generation; g != 2 {
		t.Errorf("after a restart it has %d", g)
	}
	p.write(strings.ReplaceAll(configText, `"a"`, `"c"`))
	again := p.mustOpen()
	if g := again.Spec().Generation; g != 3 {
		t.Errorf("with a file that changed meanwhile: %d", g)
	}
	if changed, err := again.Reload(true); !changed || err != nil || again.Spec().Generation != 4 {
		t.Errorf("after a reload: %d (%v, %v)", again.Spec().Generation, changed, err)
	}
}

func TestABrokenFileIsNoReasonToStop(t *testing.T) {
	p := newPlace(t)
	p.write("peer {")
	var faults spec.Diagnostics
	if _, err := p.open(); !errors.As(err, &faults) {
		t.Errorf("a first start with a broken file gives %v, want its faults", err)
	}
	p.write(configText)
	c := p.mustOpen()
	p.write("peer {")
	if changed, err := c.Reload(false); changed || err == nil {
		t.Errorf("Reload = %v, %v", changed, err)
	}
	if _, problem := c.inForce(); problem == "" || appNames(c) != "a" {
		t.Errorf("in force: %q, problem %q", appNames(c), problem)
	}
	again := p.mustOpen()
	if _, problem := again.inForce(); problem == "" || appNames(again) != "a" {
		t.Errorf("after a restart in force: %q, problem %q", appNames(again), problem)
	}
	p.write(configText)
	if _, err := c.Reload(false); err != nil {
		t.Error(err)
	}
	if _, problem := c.inForce(); problem != "" {
		t.Errorf("the problem outlives the mending: %q", problem)
	}
}

func TestTheAppliedFileHoldsNoSecretOfTheEnvironment(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	p.mustOpen()
	b, err := os.ReadFile(filepath.Join(p.data, appliedFile))
	if err != nil || strings.Contains(string(b), p.cookie) {
		t.Errorf("%s, %v", b, err)
	}
	p.cookie = ""
	if _, err := p.open(); err == nil {
		t.Error("started without the cookie")
	}
}

// TestAFileThatIsLostAtTheStartIsNotForgotten: two.hcl was applied, and the start
// lacks an environment variable of it.
func TestAFileThatIsLostAtTheStartIsNotForgotten(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	env := spec.Env{Lookup: func(name string) (string, bool) {
		return map[string]string{"COOKIE": "hush", "TWO": "two@127.0.0.1"}[name], true
	}}
	without := spec.Env{Lookup: func(name string) (string, bool) { return "hush", name == "COOKIE" }}
	c, err := OpenConfig(p.file, p.data, env)
	if err != nil {
		t.Fatal(err)
	}
	two := strings.NewReplacer(`"a"`, `"two"`, `"static:a@127.0.0.1"`, `"static:${env("TWO")}"`).Replace(configText)
	if _, err := c.Apply("two.hcl", two); err != nil {
		t.Fatal(err)
	}

	for range 2 {
		lost, err := OpenConfig(p.file, p.data, without)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, problem := lost.inForce()
			for _, word := range []string{"two.hcl", "TWO is not set", p.file + " is in force in its place"} {
				if !strings.Contains(problem, word) || appNames(lost) != "a" || lost.lostAtStart() != problem {
					t.Errorf("apps %q, problem %q: want %q in it", appNames(lost), problem, word)
				}
			}
			if changed, err := lost.Reload(false); changed || err != nil { // as Watch begins
				t.Errorf("Reload = %v, %v", changed, err)
			}
		}
	}
	var faults spec.Diagnostics
	if _, err := OpenConfig("", p.data, without); !errors.As(err, &faults) || !strings.Contains(err.Error(), "two.hcl") {
		t.Errorf("without a watched file: %v, want the faults of two.hcl", err)
	}
	again, err := OpenConfig(p.file, p.data, env)
	if err != nil || appNames(again) != "two" {
		t.Fatalf("with the variable again: apps %q, %v", appNames(again), err)
	}
	if alone, err := OpenConfig("", p.data, env); err != nil || alone.problem != "" {
		t.Errorf("without a watched file: %v", err)
	}

	lost, err := OpenConfig(p.file, p.data, without)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := lost.Reload(true); !changed || err != nil { // somebody wants this one
		t.Errorf("Reload = %v, %v", changed, err)
	}
	if _, problem := lost.inForce(); problem != "" || lost.lostAtStart() != "" {
		t.Errorf("the problem outlives its end: %q", problem)
	}
}

// TestAFileThatCannotBeKeptIsNotInForce: its place in the data folder is taken.
func TestAFileThatCannotBeKeptIsNotInForce(t *testing.T) {
	p := newPlace(t)
	p.write(configText)
	c := p.mustOpen()
	kept := filepath.Join(p.data, appliedFile)
	if err := errors.Join(os.Remove(kept), os.MkdirAll(filepath.Join(kept, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	other := strings.ReplaceAll(configText, `"a"`, `"b"`)
	if _, err := c.Apply("other.hcl", other); err == nil || appNames(c) != "a" {
		t.Errorf("applied: apps %q, %v", appNames(c), err)
	}
	p.write(other)
	changed, err := c.Reload(false)
	if _, problem := c.inForce(); changed || err == nil || problem == "" || appNames(c) != "a" || c.Spec().Generation != 1 {
		t.Errorf("reloaded: %v, apps %q, problem %q, %v", changed, appNames(c), problem, err)
	}
	if err := os.RemoveAll(kept); err != nil {
		t.Fatal(err)
	}
	if changed, err := c.Reload(false); !changed || err != nil || appNames(c) != "b" {
		t.Errorf("once there is room: %v, apps %q, %v", changed, appNames(c), err)
	}
}

// TestNobodyReadsTheCookieWithAFileOfTheirs: COOKIE would be any variable if the
// file in force did not make a cookie of it.
func TestNobodyReadsTheCookieWithAFileOfTheirs(t *testing.T) {
	p := newPlace(t)
	text := strings.ReplaceAll(configText, "COOKIE", "ERL")
	env := spec.Env{Lookup: func(name string) (string, bool) { return "hush-hush-hush", name == "ERL" }}
	p.write(text)
	c, err := OpenConfig(p.file, p.data, env)
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.NewReplacer(`env("ERL")`, `"literal"`, `"static:a@127.0.0.1"`, `"static:${env("ERL")}@127.0.0.1"`).Replace(text)
	for range 2 {
		var faults spec.Diagnostics
		_, _, err := c.Parse("theirs.hcl", theirs)
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), "ERL is a secret") || strings.Contains(err.Error(), "hush") {
			t.Errorf("error = %v, want that ERL is a secret", err)
		}
		if _, err := c.Apply("literal.hcl", strings.ReplaceAll(text, `env("ERL")`, `"literal"`)); err != nil {
			t.Fatal(err) // it stays a secret
		}
	}
}
