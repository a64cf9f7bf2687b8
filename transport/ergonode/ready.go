package ergonode

import "errors"

// Ready returns nil while peers can find the node and are let in: it accepts
// connections, and EPMD lists it. Else it says which of the two is not so.
func (n *Node) Ready() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ctx.Err() != nil:
		return errors.New("stopped")
	case n.deaf:
		return errors.New("accepts no connections")
	}
	return n.unlisted
}
