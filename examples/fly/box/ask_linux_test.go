package box_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"ehc/controller/api"
)

// ask runs a command of ehc's on its Machine, as fly ssh console -C does.
func (w *world) ask(stdin string, args ...string) (string, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, w.bin, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.environ(), strings.NewReader(stdin), &out, &out
	if err := w.ehc.start(cmd); err != nil {
		w.t.Fatal(err)
	}
	err := cmd.Wait()
	if strings.Contains(out.String(), cookie) {
		w.t.Errorf("ehc %s shows the cookie", args[0])
	}
	return out.String(), err
}

func (w *world) must(stdin string, args ...string) string {
	w.t.Helper()
	out, err := w.ask(stdin, args...)
	if err != nil {
		w.t.Fatalf("ehc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) status() api.Status {
	w.t.Helper()
	var s api.Status
	if err := json.Unmarshal([]byte(w.must("", "status", "-o", "json")), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) condition(app, kind string) api.Condition {
	w.t.Helper()
	for _, a := range w.status().Apps {
		for _, c := range a.Conditions {
			if a.App == app && c.Type == kind {
				return c
			}
		}
	}
	return api.Condition{}
}

// up are the nodes that ehc is connected to, ordered by name.
func (w *world) up() []string {
	w.t.Helper()
	nodes := []string{}
	for _, n := range w.status().Nodes {
		if n.Phase == "up" {
			nodes = append(nodes, n.Node)
		}
	}
	return nodes
}

func (w *world) pending() int {
	w.t.Helper()
	for _, q := range w.status().Outbox {
		if q.App == "phoenix" {
			return q.Pending
		}
	}
	return -1
}

// emit emits n visits.
func (w *world) emit(n int) {
	w.t.Helper()
	line := `{"type":"increment_visit","payload":{"page_id":"/blog","delta":1}}` + "\n"
	ids := strings.Fields(w.must(strings.Repeat(line, n), "emit", "-"))
	if len(ids) != n {
		w.t.Fatalf("emit gave %d ids, want %d: %q", len(ids), n, ids)
	}
	w.emitted = append(w.emitted, ids...)
}

// arrived are the ids that have come, in the order of their first time, and how
// many have a row in the database.
func (w *world) arrived() (ids []string, rows int) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "database", "arrivals"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if id, _, _ := strings.Cut(line, "\t"); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	entries, err := os.ReadDir(filepath.Join(w.dir, "database", "rows"))
	if err != nil {
		w.t.Fatal(err)
	}
	return ids, len(entries)
}
