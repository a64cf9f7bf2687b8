package etf_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"ehc/transport/etf"
)

// What is decoded stands in memory of its own, of every length, however often the
// collector runs, and can be appended to without a trace in anything else.
func TestDecodedTermsStandInMemoryOfTheirOwn(t *testing.T) {
	var terms etf.List
	for n := range 60 {
		terms = append(terms, strings.Repeat("x", n), etf.Tuple{})
		for i := range min(n, 10) {
			terms[len(terms)-1] = append(terms[len(terms)-1].(etf.Tuple), i, "in a tuple")
		}
		m := etf.Map{}
		for i := range min(n, 12) {
			m = append(m, etf.Pair{Key: i, Value: strings.Repeat("y", i*5)})
		}
		terms = append(terms, m)
	}
	wire, err := etf.Append(nil, terms)
	if err != nil {
		t.Fatal(err)
	}
	d := etf.NewDecoder(etf.DefaultLimits())
	decode := func() etf.Term {
		got, _, err := d.Term(wire)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	var kept []etf.Term
	for range 50 {
		kept = append(kept, decode())
		runtime.GC()
	}
	clear(wire)
	for _, got := range kept {
		for _, e := range got.(etf.List) {
			switch e := e.(type) {
			case etf.Tuple:
				_ = append(e, "more")
			case etf.Map:
				_ = append(e, etf.Pair{Key: "more", Value: 1})
			}
		}
		if !reflect.DeepEqual(got, etf.Term(terms)) {
			t.Fatal("a term has changed")
		}
	}
}

// Short texts and numbers share memory with the next ones, and with nothing that they
// came with.
func TestAKeptLeafKeepsLessThanAKilobyte(t *testing.T) {
	const terms, size = 300, 10_000
	for name, leaf := range map[string]etf.Term{"text": strings.Repeat("x", 40), "integer": 1 << 40, "float": 0.25} {
		t.Run(name, func(t *testing.T) {
			wire, err := etf.Append(nil, etf.Tuple{
				leaf, leaf, leaf, leaf, leaf, leaf, leaf, leaf, strings.Repeat("y", size), etf.Map{{1, leaf}},
			})
			if err != nil {
				t.Fatal(err)
			}
			d := etf.NewDecoder(etf.DefaultLimits())
			var kept [terms]etf.Term
			before := live()
			for i := range kept {
				term, _, err := d.Term(wire)
				if err != nil {
					t.Fatal(err)
				}
				kept[i] = term.(etf.Tuple)[i%8]
			}
			if n := (live() - before) / terms; n > 1000 {
				t.Errorf("each keeps %d bytes", n)
			}
			runtime.KeepAlive(&kept)
		})
	}
}

// live returns how many bytes are in use.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
