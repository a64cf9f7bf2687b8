package disk

import "fmt"

// kept is what the functions of one group keep for each other, and what of it the
// groups behind it may have.
type kept map[any]keep

type keep struct {
	value any
	write func(tx *Tx, key, value any) error
}

// Kept returns what a function keeps under a key, or one before it; ok is false if
// none does.
func (t *Tx) Kept(key any) (value any, ok bool) {
	for _, from := range []kept{t.own, t.group, t.lasting} {
		if k, ok := from[key]; ok {
			return k.value, true
		}
	}
	return nil, false
}

// Keep keeps a value under a key for the functions that follow in the same commit:
// a row that all of them change is read once and written once. write writes the
// last value of the key as the commit ends; if it fails, all of the group does.
// Nothing is kept if the function returns an error. In a View Keep panics.
//
// With no write the value is what rows come to that are written already, such as
// how many there are. Those that follow in later commits have it, too.
func (t *Tx) Keep(key, value any, write func(tx *Tx, key, value any) error) {
	if t.group == nil {
		panic("disk: Keep in a View")
	}
	if t.own == nil {
		t.own = kept{}
	}
	t.own[key] = keep{value, write}
	t.wrote = t.wrote || write != nil
}

// add takes over what a function that succeeded has kept.
func (g kept) add(own kept) {
	for key, k := range own {
		g[key] = k
	}
}

// writeAll writes what is kept.
func (g kept) writeAll(t *Tx) error {
	for key, k := range g {
		if k.write == nil {
			continue
		}
		if err := k.write(t, key, k.value); err != nil {
			return fmt.Errorf("write what is kept under %v: %w", key, err)
		}
	}
	return t.broken
}

// addLasting takes over what outlives the group that has kept it.
func (g kept) addLasting(group kept) {
	for key, k := range group {
		if k.write == nil {
			g[key] = k
		}
	}
}
