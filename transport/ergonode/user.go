package ergonode

import (
	"ehc/transport/etf"
)

// askUser asks for the peer's user process, once. As the group leader of our calls
// it prints on the peer's console; with our own pid a function that prints blocks
// until we answer, and Elixir's Logger sends its records to us.
func (l *link) askUser() {
	ref, id := l.node.mint(refCall)
	frame, err := l.request(ref, "erlang", "whereis", []etf.Term{etf.Atom("user")})
	if err != nil {
		return // it cannot be: the terms are ours
	}
	k := &call{then: func(r result) {
		if pid, ok := r.value.(etf.Pid); ok {
			l.user.Store(&pid)
		}
	}}
	if l.expect(id, k) == nil {
		l.push(frame)
	}
}
