// Package outbox owns the durable queue of each app: the events that wait to be
// delivered to it, in the order in which they were enqueued; its dead letters,
// which could not be delivered; and the ids of the last that were. It does not
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
//	queued_at    integer        when it was enqueued or retried, for its age
//
// one for each dead letter, under the number that it had:
//
//	outbox_dead
//	app, seq     text, integer  key
//	id … last_error             as above; one row for each app and id
//	reason       text           a stable word
//	died_at      integer        nanoseconds since 1970
//	crc          integer        CRC-32C of the event's and of reason and died_at
//
// and one for each of the last Remember numbers whose event was delivered:
//
//	outbox_done
//	app, seq     text, integer  key
//	id           text           one row for each app and id
//
// What happens to an event:
//
//	Enqueue ──▶ waits ──Delivered──▶ remembered ──▶ forgotten
//	             │ ▲ └─────Drop────▶ gone
//	 Bury, Expire│ │Retry (a new number)
//	             ▼ │
//	            dead ─────DropDead─▶ gone
//
// Both rows of a queue are always written in one transaction. Numbers are never used twice, so
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
//	Bury       it is first in the queue        it is a dead letter
//	Expire     as Bury, for each 256           as Bury
//	Retry      they are dead letters           they wait, under their ids
//
// An event is thus delivered at least once: between the peer's answer and
// Delivered lies a moment in which a kill makes it come again, under its id.
// Whoever gets it has to remember ids. Delivered strikes out from the head
// only, and nothing reorders, so each app gets its events in their order.
//
// An id is known while its event waits, while it is a dead letter, and for the
// next Remember numbers after it was delivered. The same id enqueued after that
// is a new event, for the receiver to tell.
//
// Nothing leaves the dead letters by itself. When they are full nothing enters
// them either, and what should have stays where it was.
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
