package etf_test

import (
	"errors"
	"testing"

	"ehc/transport/etf"
)

func TestMapGet(t *testing.T) {
	pid := etf.Pid{Node: "a@b", ID: 1}
	m := etf.Map{
		{etf.List{1}, "under a list"}, {etf.Atom("a"), "under an atom"}, {"a", "under a binary"},
		{1, "under an integer"}, {1.0, "under a float"}, {pid, "under a pid"},
	}
	for _, c := range []struct {
		key  etf.Term
		want etf.Term
	}{
		{etf.Atom("a"), "under an atom"}, {"a", "under a binary"}, {1, "under an integer"}, {1.0, "under a float"}, {pid, "under a pid"},
		{etf.List{1}, nil}, {etf.Atom("b"), nil}, {nil, nil},
	} {
		if got, ok := m.Get(c.key); got != c.want || ok != (c.want != nil) {
			t.Errorf("Get(%v) = %v, %v; want %v", etf.Text(c.key), got, ok, c.want)
		}
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	_, err := etf.Decode([]byte{131, 104, 1, 80})
	if got, want := err.Error(), "decode term at byte 3: compressed term: not accepted between nodes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = etf.Encode(etf.Ref{Node: "a@b", Len: 7})
	if got, want := err.Error(), "encode reference of 7 words: want 1 to 5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(&etf.ValueError{Cause: etf.ErrDepth}, etf.ErrDepth) {
		t.Error("a ValueError hides its cause")
	}
}
