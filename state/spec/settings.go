package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"ehc/state"
)

// decodeOutbox reads the bounds of what is kept of each app.
func decodeOutbox(b block) state.OutboxSpec {
	return state.OutboxSpec{
		MaxEvents: int(b.count("max_events", outboxMaxEvents)),
		MaxBytes:  b.size("max_bytes", outboxMaxBytes),
		MaxAge:    b.duration("max_age", outboxMaxAge),
		MaxDead:   int(b.count("max_dead", outboxMaxDead)),
		Remember:  int(b.count("remember", outboxRemember)),
	}
}

// decodeLog reads how to log.
func decodeLog(b block) state.LogSpec {
	return state.LogSpec{
		Level: b.choice("level", logLevel, "trace", "debug", "info", "warn", "error"),
		JSON:  b.choice("format", logFormat, "text", "json") == "json",
	}
}

// units are the units of sizes, in bytes.
var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

const wantSize = `want a size, text with a unit such as "64MiB" or "1GB", or a number of bytes`

// size reads a number of bytes, or a text with a unit.
func (b block) size(name string, s span[int64]) int64 {
	value, at, got := b.read(name, use{})
	if got != present {
		return s.value
	}
	value, _ = value.UnmarkDeep()
	if value.Type() == cty.Number {
		return b.count(name, s)
	}
	text, ok := as(value, cty.String)
	if !ok {
		b.wrong(at, name, wantSize)
		return s.value
	}
	n, ok := parseSize(text.AsString())
	switch {
	case !ok:
		b.wrong(at, name, fmt.Sprintf("%q: %s", text.AsString(), wantSize))
	case n < s.min || n > s.max:
		b.wrong(at, name, fmt.Sprintf("%s is out of bounds: from %s to %s", text.AsString(), briefSize(s.min), briefSize(s.max)))
	default:
		return n
	}
	return s.value
}

// parseSize reads "64MiB", "64 MiB", "1.5GB" or "1024". It rounds down to
// whole bytes.
func parseSize(text string) (int64, bool) {
	unit := int64(1)
	for _, u := range units {
		if number, cut := strings.CutSuffix(text, u.name); cut {
			text, unit = strings.TrimRight(number, " "), u.bytes
			break
		}
	}
	if strings.Trim(text, "0123456789.") != "" {
		return 0, false // no signs, exponents or names of infinity
	}
	f, err := strconv.ParseFloat(text, 64)
	f *= float64(unit)
	if err != nil || f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}

// briefSize is a size in the largest unit that leaves it whole.
func briefSize(n int64) string {
	for i := 3; i >= 0; i-- {
		if u := units[i]; n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
