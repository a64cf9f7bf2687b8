package dist

import "ehc/transport/etf"

// Control is a control message and what came with it: a signal from a process of
// the peer, with few exceptions. Which fields are set depends on Op:
//
//	Op              From         To           others
//	OpLink          linker       linked
//	OpUnlink        linker       linked
//	OpUnlinkID      linker       linked       ID, never 0
//	OpUnlinkIDAck   linked       linker       ID, never 0
//	OpSend          sender       receiver     Payload: the message
//	OpRegSend       sender       –            Name: the receiver; Payload: the message
//	OpAliasSend     sender       –            Ref: the alias; Payload: the message
//	OpGroupLeader   new leader   led
//	OpExit          linked       linker       Payload: the reason
//	OpExit2         sender       receiver     Payload: the reason; Named and Name, or Ref
//	                                          (an alias) may stand for To
//	OpMonitor       watcher      watched      Ref; Named and Name may stand for To
//	OpDemonitor     watcher      watched      Ref; Named and Name may stand for To
//	OpDown          watched      watcher      Ref; Payload: the reason; Named and Name may
//	                                          stand for From
//	OpSpawnRequest  requester    –            Ref: the request; Spawn; Payload: the arguments
//	OpSpawnReply    started      requester    Ref: the request; Named and Name, the reason,
//	                                          stand for From if nothing was started
//
// A pid that is not set is zero. From is zero also for senders that are no process
// or are not told.
type Control struct {
	Op       Op
	Named    bool // Name stands for a pid, as the table says
	From, To etf.Pid
	Name     etf.Atom
	Ref      etf.Ref
	ID       uint64
	Spawn    *Spawn
	// Payload is the term that came with the message, from its tag on, and
	// whatever follows it in the packet. It shares memory with the packet and has
	// not been looked at. nil if the operation carries none.
	Payload []byte
}

// Spawn is what a spawn request asks for. The arguments are the payload.
type Spawn struct {
	Leader           etf.Pid // group leader of the process
	Module, Function etf.Atom
	Arity            int
	// Monitor and Link say that the process is to be monitored or linked by the
	// requester. With Monitor the reply has to be sent before the end of the
	// process is, or the peer closes the connection.
	Monitor, Link bool
	// Other says that there are options besides.
	Other bool
}
