package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	defaultLimit = 100
	maxLimit     = 10_000
)

// limitIn is the parameter limit: how many rows to list at most.
func limitIn(v url.Values) (int, error) {
	text := v.Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxLimit {
		return 0, NewProblem(http.StatusBadRequest, "limit %q: want a number from 0 to %d", text, maxLimit)
	}
	return n, nil
}

// numberIn is a parameter that is a number; 0 if it is not there. It stays below
// what a JSON reader keeps exactly.
func numberIn(v url.Values, name string) (uint64, error) {
	if text := v.Get(name); text != "" {
		return numberOf(name, text)
	}
	return 0, nil
}

func numberOf(name, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, NewProblem(http.StatusBadRequest, "%s %q: want a number from 0 to %d", name, text, uint64(1<<53-1))
	}
	return n, nil
}

// boolIn is a parameter that is true or false; false if it is not there.
func boolIn(v url.Values, name string) (bool, error) {
	switch text := v.Get(name); text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, NewProblem(http.StatusBadRequest, "%s %q: want true or false", name, text)
	}
}

// waitIn is a parameter that is a duration such as 30s; otherwise if it is not
// there.
func waitIn(v url.Values, name string, otherwise time.Duration) (time.Duration, error) {
	text := v.Get(name)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxWait {
		return 0, NewProblem(http.StatusBadRequest, "%s %q: want a time from 0s to %s, such as 30s", name, text, maxWait)
	}
	return d, nil
}
