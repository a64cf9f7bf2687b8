// Package outbox owns the durable queue of each app: the events that wait to be
// delivered to it, in the order in which they were enqueued. It does not
// deliver, and does not know who is connected; nobody's rows but its own are
// touched here. The file belongs to [ehc/state/disk].
//
// # Rows
//
// An app has one row of counters, from its first event on, for good:
//
//	outbox_app
//	app       text     key
//	head_seq  integer  number of the event that has waited longest
//	next_seq  integer  number of the next event; head_seq when none waits
//	bytes     integer  payloads that wait
//	head_at   integer  inserted_at of the event at head_seq, 0 when none waits
//	crc       integer  CRC-32C of the above
//
// and one row for each event that waits:
//
//	outbox_event
//	app, seq     text, integer  key; head_seq ≤ seq < next_seq, none left out
//	id           text           one row for each app and id
//	type         text
//	payload      blob           a JSON object
//	inserted_at  integer        nanoseconds since 1970
//	crc          integer        CRC-32C of the above
//	tries        integer        deliveries that failed
//	last_error   text           why the last one did
//
// Both are always written in one transaction. Numbers are never used twice, so
// what is gone is known to be gone, also when nothing waits.
//
// # What holds after a kill or a power cut
//
// A call that has returned nil is on disk. One that was cut off has
// happened or has not, never by halves:
//
//	call       cut off before the flush        after it, before it returned
//	Enqueue    none of its events              all of them; their ids add nothing
//	Delivered  all wait, and are sent again    none waits
//	Failed     tries as before                 tries counted
//
// An event is thus delivered at least once: between the peer's answer and
// Delivered lies a moment in which a kill makes it come again, under its id.
// Whoever gets it has to remember ids. Delivered strikes out from the head
// only, and nothing reorders, so each app gets its events in their order.
//
// An id is known while its event waits. The same id enqueued after that is a
// new event, for the receiver to tell.
//
// Every read checks each event's checksum and that no number is missing.
// Damage stops the app's queue at that event and is told by every read of it,
// and by Stats; the other apps go on. Nothing is passed over unless a person
// says so: see [Box.Drop].
//
// What is not promised: order between apps; and that damage at the end of
// SQLite's log, which SQLite takes for a torn write, is seen here: the queue
// is then whole, but shorter, and [ehc/state/disk.DB.Lost] tells.
package outbox
