package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ehc/transport/transporttest/beam"
)

// TestDevStaysUpToBeTried types every line that ehc dev gives for a second terminal,
// where a shell finds no ehc, and has ehc doctor look at that cluster.
func TestDevStaysUpToBeTried(t *testing.T) {
	beam.Need(t)
	for _, peer := range []string{"ehc", "beam"} {
		t.Run(peer, func(t *testing.T) {
			bin, err := builtEhc()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), bin, "dev", "-peer", peer)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var told strings.Builder
			var hints []string
			for lines := bufio.NewScanner(out); lines.Scan(); {
				told.WriteString(lines.Text() + "\n")
				if strings.Contains(told.String(), "In a second terminal:") && strings.HasPrefix(lines.Text(), "  ") {
					hints = append(hints, lines.Text())
				}
				if strings.HasPrefix(lines.Text(), "  ehc plan -config ") && len(hints) > 0 {
					break
				}
			}
			if len(hints) < 6 {
				t.Fatalf("it gave %d lines to try:\n%s", len(hints), &told)
			}
			shell := exec.CommandContext(t.Context(), "sh", "-c", // an alias holds from the next line on
				"set -ex\n"+strings.Join(hints, "\n")+"\nehc doctor -strict\nehc count visits:/blog\n")
			shell.Env = append(os.Environ(), "PATH=/usr/bin:/bin", "EHC_API=")
			typed, err := shell.CombinedOutput()
			if err != nil {
				t.Errorf("what it said to type: %v\n%s", err, typed)
			}
			if !strings.HasSuffix(string(typed), "\n18\n") {
				t.Errorf("17 visits of the story and one of the hints:\n%s", typed)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("interrupted: %v", err)
			}
		})
	}
}

// TestDevIsInterrupted: what its commands fail of then is no fault to be told.
func TestDevIsInterrupted(t *testing.T) {
	beam.Need(t)
	bin, err := builtEhc()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "dev")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "  $ ehc emit ") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || complaints.String() != "ehc: interrupted\n" {
		t.Errorf("interrupted: %v\n%s", err, &complaints)
	}
}
