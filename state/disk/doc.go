// Package disk owns the store's file: it opens and migrates it, and commits to
// it through one writer. It is the one package that knows SQLite. It does not
// know what the rows mean; [ehc/state/outbox] and its like do.
//
// # Files
//
//	ehc.db, -wal, -shm   the store, in WAL mode with synchronous=FULL
//	ehc.lock             held (flock) while a process has the store open; its pid
//	ehc.mark             how many commits there have been, counted a second time
//	ehc.ballast          room that is given up when the volume is full
//
// All of them are readable by their owner only.
//
// # What holds
//
// When [DB.Write] has returned nil, what its function wrote survives kill -9
// and, as far as the device is honest about a flush, a power cut. Where the
// process dies decides what the next Open finds:
//
//	queued, or functions running   nothing of the group: nothing is in the log
//	writing the log, not flushed   nothing, or all of the group
//	flushed, callers not answered  all of the group, though nobody was told
//	copying the log into ehc.db    all of it: the log is replayed
//
// A torn commit at the end of the log is cut off, and [DB.Cut] says how much that
// was. A flush that fails is an error of its group, and nothing is taken for flushed
// that was not: the next commit writes and flushes its own part of the log anew.
//
// So an error or a death before the answer leaves the outcome of that one
// write unknown, and nothing else: a group is there whole or not at all, and
// groups are there in the order in which they were committed, without a gap.
//
// All of this is tried: [ehc/state/disk/disktest] makes every call of SQLite's that
// changes a file fail, fall short, fill the volume or be the last, and makes up what
// a kill and a power cut leave then.
//
// # Room
//
// Rows that are gone leave free pages, which new rows take. When more than half of
// the file is free, and nobody waits to write, the free pages go back to the volume,
// a MiB in each commit, but for 4 MiB.
//
// The log is copied back into the file after 4 MiB, and begins anew when no View reads
// it. If Views always overlap there is no such moment: from 8 MiB on the committer waits
// for those under way, while new ones read the file.
//
// # What does not
//
// SQLite takes a bad checksum in its log for the torn end of it, and drops
// what follows in silence. The count in ehc.mark, written after each commit,
// tells the two apart, see [DB.Lost]; so do commits behind it, see [DB.Cut]. It is
// flushed only now and then, so after a power cut it may be behind, and damage of the
// newest commits goes unseen; it is never ahead. Damage inside ehc.db is for the owners
// of the rows to find: SQLite keeps no checksum there. A lost volume is lost.
package disk
