package dist

import "strconv"

// Op is the first element of a control message.
type Op uint8

// The operations, under OTP's names. Parse gives those in the first block only
// and folds the others into them, as the table at Parse says. 5, 9 to 11, 14, 15
// and 17 do not exist.
const (
	OpLink         Op = 1  // LINK
	OpUnlink       Op = 4  // UNLINK, without an id: nodes older than OTP 26
	OpRegSend      Op = 6  // REG_SEND
	OpGroupLeader  Op = 7  // GROUP_LEADER
	OpMonitor      Op = 19 // MONITOR_P
	OpDemonitor    Op = 20 // DEMONITOR_P
	OpSend         Op = 22 // SEND_SENDER
	OpExit         Op = 24 // PAYLOAD_EXIT: a link broke
	OpExit2        Op = 26 // PAYLOAD_EXIT2: exit/2
	OpDown         Op = 28 // PAYLOAD_MONITOR_P_EXIT
	OpSpawnRequest Op = 29 // SPAWN_REQUEST
	OpSpawnReply   Op = 31 // SPAWN_REPLY
	OpAliasSend    Op = 33 // ALIAS_SEND
	OpUnlinkID     Op = 35 // UNLINK_ID
	OpUnlinkIDAck  Op = 36 // UNLINK_ID_ACK

	opSendPlain      Op = 2  // SEND
	opExitPlain      Op = 3  // EXIT
	opExit2Plain     Op = 8  // EXIT2
	opSendPlainTT    Op = 12 // SEND_TT
	opExitPlainTT    Op = 13 // EXIT_TT
	opRegSendTT      Op = 16 // REG_SEND_TT
	opExit2PlainTT   Op = 18 // EXIT2_TT
	opDownPlain      Op = 21 // MONITOR_P_EXIT
	opSendTT         Op = 23 // SEND_SENDER_TT
	opExitTT         Op = 25 // PAYLOAD_EXIT_TT
	opExit2TT        Op = 27 // PAYLOAD_EXIT2_TT
	opSpawnRequestTT Op = 30 // SPAWN_REQUEST_TT
	opSpawnReplyTT   Op = 32 // SPAWN_REPLY_TT
	opAliasSendTT    Op = 34 // ALIAS_SEND_TT
	opAltact         Op = 37 // ALTACT_SIG_SEND
)

// shape is how an operation looks on the wire.
type shape struct {
	name    string
	plain   Op    // what Parse folds it into
	arity   uint8 // of the control tuple, the operation included; 0 is no operation
	payload bool  // a second term follows
	token   bool  // the tuple's last element is a seq_trace token
}

// shapes has every operation under its number. EXIT_TT and EXIT2_TT have their
// token before the reason; ALTACT_SIG_SEND has one element more if it has one.
var shapes = [...]shape{
	OpLink:           {"LINK", OpLink, 3, false, false},
	opSendPlain:      {"SEND", OpSend, 3, true, false},
	opExitPlain:      {"EXIT", OpExit, 4, false, false},
	OpUnlink:         {"UNLINK", OpUnlink, 3, false, false},
	OpRegSend:        {"REG_SEND", OpRegSend, 4, true, false},
	OpGroupLeader:    {"GROUP_LEADER", OpGroupLeader, 3, false, false},
	opExit2Plain:     {"EXIT2", OpExit2, 4, false, false},
	opSendPlainTT:    {"SEND_TT", OpSend, 4, true, true},
	opExitPlainTT:    {"EXIT_TT", OpExit, 5, false, false},
	opRegSendTT:      {"REG_SEND_TT", OpRegSend, 5, true, true},
	opExit2PlainTT:   {"EXIT2_TT", OpExit2, 5, false, false},
	OpMonitor:        {"MONITOR_P", OpMonitor, 4, false, false},
	OpDemonitor:      {"DEMONITOR_P", OpDemonitor, 4, false, false},
	opDownPlain:      {"MONITOR_P_EXIT", OpDown, 5, false, false},
	OpSend:           {"SEND_SENDER", OpSend, 3, true, false},
	opSendTT:         {"SEND_SENDER_TT", OpSend, 4, true, true},
	OpExit:           {"PAYLOAD_EXIT", OpExit, 3, true, false},
	opExitTT:         {"PAYLOAD_EXIT_TT", OpExit, 4, true, true},
	OpExit2:          {"PAYLOAD_EXIT2", OpExit2, 3, true, false},
	opExit2TT:        {"PAYLOAD_EXIT2_TT", OpExit2, 4, true, true},
	OpDown:           {"PAYLOAD_MONITOR_P_EXIT", OpDown, 4, true, false},
	OpSpawnRequest:   {"SPAWN_REQUEST", OpSpawnRequest, 6, true, false},
	opSpawnRequestTT: {"SPAWN_REQUEST_TT", OpSpawnRequest, 7, true, true},
	OpSpawnReply:     {"SPAWN_REPLY", OpSpawnReply, 5, false, false},
	opSpawnReplyTT:   {"SPAWN_REPLY_TT", OpSpawnReply, 6, false, true},
	OpAliasSend:      {"ALIAS_SEND", OpAliasSend, 3, true, false},
	opAliasSendTT:    {"ALIAS_SEND_TT", OpAliasSend, 4, true, true},
	OpUnlinkID:       {"UNLINK_ID", OpUnlinkID, 4, false, false},
	OpUnlinkIDAck:    {"UNLINK_ID_ACK", OpUnlinkIDAck, 4, false, false},
	opAltact:         {"ALTACT_SIG_SEND", opAltact, 4, true, false},
}

// String is OTP's name for the operation, or its number.
func (o Op) String() string {
	if int(o) < len(shapes) && shapes[o].arity > 0 {
		return shapes[o].name
	}
	return "op " + strconv.Itoa(int(o))
}
