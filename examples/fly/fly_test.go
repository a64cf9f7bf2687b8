// Package fly_test holds the files of this folder against ehc and against each
// other. What they make of a network like Fly's is in box.
package fly_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// buildLine is the line of the Dockerfile that builds ehc.
var buildLine = regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .* -o /out/ehc \./cmd/ehc)$`)

// build builds ehc by the Dockerfile's own line, but for where to.
func build(t *testing.T) string {
	t.Helper()
	text := readFile(t, "Dockerfile")
	line := buildLine.FindStringSubmatch(text)
	if line == nil {
		t.Fatalf("the Dockerfile has no line like %s", buildLine)
	}
	bin := filepath.Join(t.TempDir(), "ehc")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line[1], "/out/ehc", bin, 1))
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line[1], err, out)
	}
	return bin
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually tries until try has no error.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
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
