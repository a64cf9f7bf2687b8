package controller

import "ehc/transport"

// The words for why something holds or does not, in conditions, nodes and queues.
const (
	reasonListed          = "Listed"
	reasonUnlisted        = "Unlisted"
	reasonNoNodes         = "NoNodes"
	reasonLookupFailed    = "LookupFailed"
	reasonNotLookedUp     = "NotLookedUp"
	reasonEPMDUnreachable = "EPMDUnreachable"
	reasonUnclaimed       = "Unclaimed"

	reasonConnected    = "Connected"
	reasonNotConnected = "NotConnected"
	reasonNotDialled   = "NotDialled"
	reasonDialling     = "Dialling"
	reasonSynced       = "Synced"
	reasonNotSynced    = "NotSynced"

	reasonRunning        = "Running"
	reasonMachineStopped = "MachineStopped"
	reasonNoMachines     = "NoMachines"
	reasonNotProbed      = "NotProbed"

	reasonActive    = "Active"
	reasonSuspended = "Suspended"

	reasonPubSubJoined      = "PubSubJoined"
	reasonPubSubUnknown     = "PubSubUnknown"
	reasonPubSubDeaf        = "PubSubDeaf"
	reasonPubSubPoolDiffers = "PubSubPoolDiffers"

	reasonDrained = "Drained"
	reasonWaiting = "Waiting"
	reasonIntact  = "Intact"
	reasonDamaged = "Damaged"
)

// Reason is a stable word and what it says. Scripts, alerts and the page on
// troubleshooting go by the word.
type Reason struct {
	Word  string
	Means string
}

// Reasons are all words that a controller gives as a reason, of conditions, nodes,
// queues and dead letters. Their meaning never changes; words may be added.
func Reasons() []Reason {
	all := []Reason{
		{reasonListed, "the queries work, and list nodes"},
		{reasonUnlisted, "no query lists the node any more"},
		{reasonNoNodes, "the queries work, and list no node"},
		{reasonLookupFailed, "a lookup failed; what it last listed stays"},
		{reasonNotLookedUp, "the first lookup is under way"},
		{reasonEPMDUnreachable, "an address is listed, and no EPMD answers there"},
		{reasonUnclaimed, "the node dialled in, and no peer block claims it"},
		{reasonConnected, "connected"},
		{reasonNotConnected, "not connected"},
		{reasonNotDialled, "not dialled yet"},
		{reasonDialling, "the first dial is under way"},
		{reasonSynced, "resynced with the incarnation that runs"},
		{reasonNotSynced, "not resynced since the node started"},
		{"ResyncFailed", "the node did not answer the first call; tried again later"},
		{reasonRunning, "every machine that is deployed on Fly is started"},
		{reasonMachineStopped, "a machine is deployed on Fly and not started; it is not dialled"},
		{reasonNoMachines, "Fly lists no machine of the app"},
		{reasonNotProbed, "a plan tries only so many nodes, and this one was not among them"},
		{reasonActive, "not suspended"},
		{reasonSuspended, "a person has suspended the app: nothing is done to it until ehc resume"},
		{reasonPubSubJoined, "the node shows every Phoenix.PubSub server of the file"},
		{reasonPubSubUnknown, "the node has not said yet which Phoenix.PubSub servers it has"},
		{reasonPubSubDeaf, "the node does not take part in a Phoenix.PubSub server of the file"},
		{reasonPubSubPoolDiffers, "a Phoenix.PubSub server has another pool_size there than elsewhere"},
		{reasonDrained, "nothing waits"},
		{reasonWaiting, "events wait, and nothing has gone wrong"},
		{reasonIntact, "what waits is as it was written"},
		{reasonDamaged, "a row of the queue is not as it was written; the queue stands still"},
		{"OutboxFailed", "the outbox could not be read or written"},
		{"NotATerm", "the event cannot be written as an Erlang term"},
		{"NoProgress", "the handler answered that it handled none of a batch"},
		{"ReceiverFull", "the handler answered no_space: its disk is full; the queue waits"},
		{"ReceiverFailed", "the handler answered unavailable: its store fails; the queue waits"},
		{"HandlerRefused", "the handler answered something other than ok"},
		{"UnknownEventType", "the handler does not know the event's type"},
		{handlerUndefined, "the node does not export the handler"},
		{"FunctionUndefined", "the handler called a function that is not there"},
		{"HandlerRaised", "the handler raised"},
		{"HandlerKilled", "the process that ran the handler was killed"},
		{"CallRefused", "the node did not start the call"},
		{"DeadLettersFull", "there is no room for another dead letter; the queue waits"},
		{"Expired", "the event waited for longer than max_age"},
	}
	for _, w := range transport.Reasons() {
		all = append(all, Reason{w.Word, w.Means})
	}
	return all
}
