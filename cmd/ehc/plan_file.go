package main

import (
	"encoding/json"
	"fmt"

	"ehc/controller/api"
)

// planFormat is the version of savedPlan. A plan saved by another is refused.
const planFormat = 1

// maxPlanBytes bounds a saved plan.
const maxPlanBytes = 16 << 20

// savedPlan is what -out writes: a plan with all that it takes to apply it, and
// only it. It has mode 0600, because Text may hold what its author should not
// have put there.
type savedPlan struct {
	Format  int      `json:"format"`
	Version string   `json:"version"` // of the ehc that saved it
	Index   uint64   `json:"index"`   // what the controller must still be at
	File    string   `json:"file"`    // the file's name; empty with Text
	Text    string   `json:"text"`    // the file itself; empty: the one in force
	Target  string   `json:"target,omitempty"`
	Plan    api.Plan `json:"plan"`
}

func (s savedPlan) write(path string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if err := replaceFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

func readPlan(path string) (savedPlan, error) {
	b, err := readFile(path, maxPlanBytes)
	if err != nil {
		return savedPlan{}, err
	}
	var s savedPlan
	if err := json.Unmarshal(b, &s); err != nil || s.Format == 0 || s.Index == 0 {
		return savedPlan{}, fmt.Errorf("%s is not a plan saved by ehc plan -out; to apply a cluster.hcl: ehc apply -config %s", path, quoted(path))
	}
	if s.Format != planFormat {
		return savedPlan{}, fmt.Errorf("%s has format %d, saved by ehc %s; this ehc reads format %d: plan again",
			path, s.Format, s.Version, planFormat)
	}
	return s, nil
}
