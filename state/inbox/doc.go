// Package inbox owns what a receiver of events remembers: the ids of the events
// that it has handled, and the counters that they have changed. Both change in
// one transaction, so that whatever comes again changes nothing and no crash can
// part the two. It does not receive, and does not know what an event looks like
// on the wire. The file belongs to [ehc/state/disk].
//
// # Rows
//
// A counter has one row, from its first event on, for good:
//
//	inbox_count
//	n      integer  key: how many counters there were when it came, 1 at first
//	name   text     what is counted: "visits"
//	key    text     of what: "/blog"; one row for each name and key
//	value  integer
//	crc    integer  CRC-32C of name, key and value
//
// An event that has been handled has one row until its id is forgotten:
//
//	inbox_event
//	n                   integer        key: in the order of handling; none left out
//	id                  text           one row for each
//	source, epoch, seq  text, integer  where it stood at its sender; "", 0, 0: not told
//	at                  integer        when it came, nanoseconds since 1970
//	crc                 integer        CRC-32C of all the above but n
//
// and a sender that tells where its events stand has one row, for good:
//
//	inbox_source
//	source      text     key
//	epoch, seq  integer  the greatest place whose id has been forgotten
//	crc         integer  CRC-32C of the above
//
// # What is known
//
// Ids are forgotten in the order in which they came, see [Box.SetLimits]. The
// greatest place that is forgotten stays, so that what came before it is known
// for ever, though its id is not:
//
//	id remembered   place                            the event is
//	yes             any                              known
//	no              none                             new
//	no              up to the greatest forgotten     known
//	no              beyond it, or no such source     new
//
// Places are compared by epoch and then by seq. A sender thus has to number its
// events in the order in which it first sends them, or close to it: one that
// comes for the first time after a later one of its source has been forgotten is
// taken for a replay. A sender whose numbers start again needs a greater epoch.
//
// # What holds after a kill or a power cut
//
// A call that has returned without an error is on disk. One that was cut off has
// happened or has not, each of its events whole:
//
//	cut off before the flush           neither ids nor counters have changed
//	after it, before the call returns  both have; the event sent again is known
//
// Every row that is read is compared with its checksum. Damage is told as a
// *DamageError by every use of that row, which then changes nothing; what does
// not need the row goes on. Not seen is damage that makes a row look up as
// missing: of an id, of which the event is then new. Nor is a counter mended:
// nobody can know what it was.
package inbox
