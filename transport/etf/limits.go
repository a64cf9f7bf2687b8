package etf

// MaxDepth is how many containers (tuples, lists, maps, funs, native records)
// may stand inside each other, in both directions. What a Decoder gives can
// therefore always be sent.
const MaxDepth = 512

// Limits bound what a Decoder does with bytes from a peer. Memory needs no
// limit of its own: a Decoder allocates for elements only when there is a byte
// for each of them, in all open containers together, so that a term takes some
// 24 times its bytes at worst: tuples of one element, or of three, in each other.
// What atom cache references stand for has a bound of its own, 64 MiB in a term.
type Limits struct {
	// Depth is how many containers may be open at once. Zero and anything
	// over MaxDepth mean MaxDepth.
	Depth int
	// Atoms is how many atoms are kept so that they cost nothing when they
	// come again. When the table is full it is emptied. Zero keeps none.
	Atoms int
	// Keys is the same for short binaries that are map keys.
	Keys int
}

// DefaultLimits returns the limits for a connection: MaxDepth, 4096 atoms and
// 4096 keys, which is at most a few megabytes and usually some kilobytes.
func DefaultLimits() Limits {
	return Limits{Depth: MaxDepth, Atoms: 4096, Keys: 4096}
}

// depth returns the depth in force.
func (l Limits) depth() int {
	if l.Depth <= 0 || l.Depth > MaxDepth {
		return MaxDepth
	}
	return l.Depth
}
