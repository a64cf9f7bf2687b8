package ergonode

import (
	"ehc/transport/etf"
)

// The third word of references that we mint says what they are for. ergo's own
// have 0 there.
const (
	refCall = 0xE4C00001 // an erpc call of ours
	refAsk  = 0xE4C00002 // a gen_server call of ours
	refTag  = 0xE4C00003 // stands for the tag of a peer's gen_server call
	refCast = 0xE4C00004 // an erpc cast of ours

	refScope = 0xE4C00005 // a monitor by the pg scope of Phoenix.PubSub
)

// mint makes a reference, and the id by which tables know it.
//
//	word 0  the id's low 18 bits: no release takes more there
//	word 1  the next 32
//	word 2  what it is for
func (n *Node) mint(kind uint32) (etf.Ref, uint64) {
	id := n.minted.Add(1)
	return n.ref(kind, id), id
}

func (n *Node) ref(kind uint32, id uint64) etf.Ref {
	return etf.Ref{Node: etf.Atom(n.self.Name), Creation: n.self.Creation, Len: 3,
		ID: [5]uint32{uint32(id & 0x3ffff), uint32(id >> 18), kind}}
}

func idOf(r etf.Ref) uint64 { return uint64(r.ID[0]) | uint64(r.ID[1])<<18 }

// ours says whether a reference is one that we minted for this.
func (n *Node) ours(r etf.Ref, kind uint32) bool { return r.ID[2] == kind && r == n.ref(kind, idOf(r)) }
