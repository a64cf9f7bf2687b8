package etf

import (
	"fmt"
	"testing"
)

func TestTablesNeverHoldMoreThanTheirLimit(t *testing.T) {
	d := NewDecoder(Limits{Atoms: 10, Keys: 20})
	most := 0
	for i := range 1000 {
		name := fmt.Sprintf("name %d", i)
		b, err := Append(nil, Map{{name, Atom(name)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Term(b); err != nil {
			t.Fatal(err)
		}
		if a, k := len(d.atoms.terms), len(d.keys.terms); a > 10 || k > 20 {
			t.Fatalf("after %d: %d atoms and %d keys", i, a, k)
		}
		most = max(most, len(d.keys.terms))
	}
	if most != 20 {
		t.Errorf("at most %d keys were kept", most)
	}
}
