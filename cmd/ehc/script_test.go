package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestMain makes the test binary an ehc for the scripts.
func TestMain(m *testing.M) { testscript.Main(tests{m}, map[string]func(){"ehc": main}) }

// tests are those of this package. The ehc that some of them build goes with the last.
type tests struct{ *testing.M }

func (t tests) Run() int {
	defer func() { _ = os.RemoveAll(builtIn) }()
	return t.M.Run()
}

// TestScripts runs every page of testdata/script, each with a fake controller of
// its own that EHC_API names. Beside testscript's own commands there are
//
//	scene FILE        the controller is as FILE says from now on
//	requests FILE     write what the controller was asked since, but for status
//	followed          wait until an apply has been taken and is being followed
//	waits N           wait until N requests wait for something to happen
//	asked             wait until a request came that gets no answer
//	private FILE      only its owner may read or write FILE
//	code N ehc ARG…   run ehc, which must exit with N
//	offers RE ehc …   run ehc until its output matches, for it waits a second for names
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			f := newFake(scene{})
			at, stop, err := f.serve(env.WorkDir)
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := stop(); err != nil {
					t.Errorf("stop the fake controller: %v", err)
				}
			})
			env.Setenv("EHC_API", at.String())
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each ehc takes a second to end under -race
			env.Values["fake"] = f
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"scene": func(ts *testscript.TestScript, _ bool, args []string) {
				var s scene
				d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
				d.DisallowUnknownFields()
				ts.Check(d.Decode(&s))
				ts.Value("fake").(*fake).set(s)
			},
			"requests": func(ts *testscript.TestScript, _ bool, args []string) {
				text := strings.Join(ts.Value("fake").(*fake).requests(), "\n") + "\n"
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
			},
			"asked": func(ts *testscript.TestScript, _ bool, _ []string) {
				await(ts, ts.Value("fake").(*fake).held)
			},
			"private": func(ts *testscript.TestScript, _ bool, args []string) {
				info, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				if info.Mode().Perm() != 0o600 {
					ts.Fatalf("%s has mode %v", args[0], info.Mode())
				}
			},
			"code":   exitsWith,
			"offers": offers,
			"waits": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[0])
				ts.Check(err)
				ts.Check(ts.Value("fake").(*fake).untilWaits(n))
			},
			"followed": func(ts *testscript.TestScript, _ bool, _ []string) {
				await(ts, ts.Value("fake").(*fake).isFollowed())
			},
		},
	})
}

// await waits for a command in the background to have come so far. One that has
// ended before never will.
func await(ts *testscript.TestScript, ready <-chan struct{}) {
	select {
	case <-ready:
	case <-time.After(patience):
		ts.Fatalf("the command in the background has not asked for it")
	}
}

// offers runs a command until a line of its output matches.
func offers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: offers REGEXP command [args]")
	}
	line, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); ; {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if line.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%q is not offered", args[0])
		}
	}
}

// exitsWith runs a command that must exit with the code in args[0].
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		got, err = ended.ExitCode(), nil
	}
	ts.Check(err)
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}
