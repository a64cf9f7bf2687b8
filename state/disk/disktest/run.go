package disktest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Story does something to a store in dir, which is on d, and closes it. It goes on
// after errors, unless d is dead, and returns a function that looks whether what is
// left in another folder is what it should be.
type Story func(t *testing.T, d *Disk, dir string) (check func(t *testing.T, left string))

// Run tells a story again and again: once with nothing amiss, and then with every
// fault at every step, in a random order, up to few times, or as often as EHC_FAULTS
// says. After each it looks at what a kill at the end, or at the fault if that
// kills, leaves, and at what a power cut then leaves.
func Run(t *testing.T, few int, story Story) {
	if text, ok := os.LookupEnv("EHC_FAULTS"); ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("EHC_FAULTS=%q: want a number", text)
		}
		few = n
	}
	type trial struct {
		at    int
		label string
		fault Fault
	}
	var trials []trial
	for i, label := range tell(t, story, -1, "", 1) {
		for _, fault := range FaultsOf(label) {
			trials = append(trials, trial{i, label, fault})
		}
	}
	seed := rand.Uint64()
	t.Logf("%d faults at %d different places; seed %d", few, len(trials), seed)
	for done := 0; done < few; {
		rand.New(rand.NewPCG(seed, uint64(done))).Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
		for _, c := range trials[:min(len(trials), few-done)] {
			done++
			t.Run(fmt.Sprintf("step %d, %s, %s", c.at, c.label, c.fault), func(t *testing.T) {
				tell(t, story, c.at, c.fault, seed+uint64(done))
			})
		}
	}
}

// tell tells a story once, and returns its steps.
func tell(t *testing.T, story Story, at int, fault Fault, seed uint64) []string {
	dir := t.TempDir()
	if err := Ballast(dir); err != nil {
		t.Fatal(err)
	}
	d := Under(t, dir, rand.New(rand.NewPCG(seed, 0)).IntN)
	d.Break(at, fault)
	check := story(t, d, dir)
	check(t, d.Killed(t))
	check(t, d.PowerCut(t))
	return d.Steps()
}
