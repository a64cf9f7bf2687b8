package ergonode

import (
	"math/big"

	eetf "github.com/ergo-services/ergo/etf"

	"ehc/transport/etf"
)

// fromErgo gives a term of an ergo process ehc's types, all the way down; what is
// ehc's already stays. ergo's strings are lists of bytes, its String a binary.
func fromErgo(t eetf.Term) etf.Term {
	switch v := t.(type) {
	case nil:
		return etf.List{}
	case eetf.Atom:
		return etf.Atom(v)
	case eetf.String:
		return string(v)
	case eetf.Charlist:
		return charlist(string(v))
	case string:
		return v
	case eetf.Pid:
		return fromErgoPid(v)
	case eetf.Ref:
		return fromErgoRef(v)
	case eetf.Alias:
		return fromErgoRef(eetf.Ref(v))
	case eetf.Tuple:
		return etf.Tuple(fromErgoAll(v))
	case eetf.List:
		return etf.List(fromErgoAll(v))
	case eetf.ListImproper:
		all := fromErgoAll(v)
		if len(all) < 2 {
			return etf.List(all)
		}
		return etf.ImproperList{Elems: all[:len(all)-1], Tail: all[len(all)-1]}
	case eetf.Map:
		m := make(etf.Map, 0, len(v))
		for key, value := range v {
			m = append(m, etf.Pair{Key: fromErgo(key), Value: fromErgo(value)})
		}
		return m
	case big.Int:
		return &v
	}
	return t
}

func charlist(s string) etf.List {
	l := make(etf.List, 0, len(s))
	for _, r := range s {
		l = append(l, int(r))
	}
	return l
}

func fromErgoAll(ts []eetf.Term) []etf.Term {
	out := make([]etf.Term, len(ts))
	for i, t := range ts {
		out[i] = fromErgo(t)
	}
	return out
}

func fromErgoPid(p eetf.Pid) etf.Pid {
	return etf.Pid{Node: etf.Atom(p.Node), ID: uint32(p.ID), Serial: uint32(p.ID >> 32), Creation: p.Creation}
}

func toErgoPid(p etf.Pid) eetf.Pid {
	return eetf.Pid{Node: eetf.Atom(p.Node), ID: uint64(p.Serial)<<32 | uint64(p.ID), Creation: p.Creation}
}

// fromErgoRef guesses the length, which ergo does not keep: five words if the last
// two are in use.
func fromErgoRef(r eetf.Ref) etf.Ref {
	words := uint8(3)
	if r.ID[3]|r.ID[4] != 0 {
		words = 5
	}
	return etf.Ref{Node: etf.Atom(r.Node), Creation: r.Creation, Len: words, ID: r.ID}
}

func toErgoRef(r etf.Ref) eetf.Ref {
	return eetf.Ref{Node: eetf.Atom(r.Node), Creation: r.Creation, ID: r.ID}
}
