package main

import (
	"regexp"
	"testing"
)

// One in 64 cookies of URL-safe base64 begins with a minus sign, which erl takes for a
// flag.
func TestACookieIsNoFlag(t *testing.T) {
	plain := regexp.MustCompile(`^[A-Z2-7]{56}$`)
	made := map[string]bool{}
	for range 1000 {
		c := newCookie()
		if !plain.MatchString(c) {
			t.Fatalf("%q is not 56 letters and digits", c)
		}
		made[c] = true
	}
	if len(made) != 1000 {
		t.Errorf("of 1000 cookies %d are different", len(made))
	}
}
