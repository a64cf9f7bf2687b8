package spec

// nearest returns the candidate that name was probably meant to be, or "" if
// none is near. Of two that are equally near the first is taken.
func nearest(name string, candidates []string) string {
	best, found := min(max(1, (len(name)+1)/3), 3)+1, "" // about one slip in three letters
	for _, c := range candidates {
		d := distance(name, c)
		if len(name) > 3 && len(name) < len(c) {
			d = min(d, distance(name, c[:len(name)])) // an abbreviation
		}
		if d < best {
			best, found = d, c
		}
	}
	return found
}

// distance counts the letters to insert, drop, change or swap with their
// neighbour that make b of a (optimal string alignment). Names longer than any
// of ours are far from all.
func distance(a, b string) int {
	const long = 64
	if len(a) > long || len(b) > long {
		return long
	}
	var d [long + 1][long + 1]int
	for i := 0; i <= len(a); i++ {
		d[i][0] = i
	}
	for j := 0; j <= len(b); j++ {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
