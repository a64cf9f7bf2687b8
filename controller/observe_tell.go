package controller

import "ehc/state"

// tell logs a change of what holds, where nobody has set a level as well if it says
// why a cluster is not as it should be: else that would be seen only by who asks.
//
//	of    type                      becomes                       level
//	app   Discovered, OutboxIntact  false, or so for another      warn
//	                                reason
//	                                true again                    info
//	node  Connected                 false, by why a dial failed   warn
//	      anything else                                           debug
//
// Links tells of connections that come up and end, and a drain of why it stopped.
func (o *observer) tell(x state.Change) {
	to, log := x.To, o.log.With("app", x.App)
	if x.Node != "" {
		log = o.log.With("node", x.Node, "app", o.nodes[x.Node].conn.App)
	}
	told := to.Type == condDiscovered || to.Type == condOutboxIntact
	switch {
	case x.App != "" && told && to.Status == isFalse:
		log.Warn("not "+to.Type, "reason", to.Reason, "cause", to.Message)
	case x.App != "" && told && x.From.Status == isFalse && to.Status == isTrue:
		log.Info(to.Type+" again", "cause", to.Message)
	case x.Node != "" && to.Type == condConnected && to.Status == isFalse && isDialFailure(to.Reason):
		log.Warn("not connected", "reason", to.Reason, "cause", to.Message)
	default:
		log.Debug("condition", "type", to.Type, "status", to.Status, "reason", to.Reason)
	}
}

// isDialFailure says whether a reason for which a node is not connected is why a dial
// failed, and its peer's own dial has not come instead.
func isDialFailure(reason string) bool {
	switch reason {
	case reasonNotDialled, reasonDialling, "Yielded",
		"Closed", "Silent", "Replaced", "Overloaded", "Disconnected": // of links that ended
		return false
	}
	return true
}
