package disk

import (
	"context"
	"fmt"
)

// applicationID marks the file as ehc's, in its header: "ehc1".
const applicationID = 0x65686331

// steps lead from an empty file to this version's tables. A step is never
// changed once released; user_version in the file's header counts those done.
func steps() []string {
	return []string{
		// 1: the commit count, and the outbox (its rows are told of there).
		`CREATE TABLE store_mark (commits INTEGER NOT NULL) STRICT;
		 INSERT INTO store_mark VALUES (0);
		 CREATE TABLE outbox_app (
			app      TEXT    NOT NULL PRIMARY KEY,
			head_seq INTEGER NOT NULL,
			next_seq INTEGER NOT NULL,
			bytes    INTEGER NOT NULL,
			head_at  INTEGER NOT NULL,
			crc      INTEGER NOT NULL
		 ) STRICT, WITHOUT ROWID;
		 CREATE TABLE outbox_event (
			app         TEXT    NOT NULL,
			seq         INTEGER NOT NULL,
			id          TEXT    NOT NULL,
			type        TEXT    NOT NULL,
			payload     BLOB    NOT NULL,
			inserted_at INTEGER NOT NULL,
			crc         INTEGER NOT NULL,
			tries       INTEGER NOT NULL DEFAULT 0,
			last_error  TEXT    NOT NULL DEFAULT '',
			PRIMARY KEY (app, seq)
		 ) STRICT, WITHOUT ROWID;
		 CREATE UNIQUE INDEX outbox_event_id ON outbox_event (app, id);`,
		// 2: the inbox (its rows are told of there).
		`CREATE TABLE inbox_count (
			n     INTEGER NOT NULL PRIMARY KEY,
			name  TEXT    NOT NULL,
			key   TEXT    NOT NULL,
			value INTEGER NOT NULL,
			crc   INTEGER NOT NULL
		 ) STRICT;
		 CREATE UNIQUE INDEX inbox_count_key ON inbox_count (name, key);
		 CREATE TABLE inbox_event (
			n      INTEGER NOT NULL PRIMARY KEY,
			id     TEXT    NOT NULL,
			source TEXT    NOT NULL,
			epoch  INTEGER NOT NULL,
			seq    INTEGER NOT NULL,
			at     INTEGER NOT NULL,
			crc    INTEGER NOT NULL
		 ) STRICT;
		 CREATE UNIQUE INDEX inbox_event_id ON inbox_event (id);
		 CREATE TABLE inbox_source (
			source TEXT    NOT NULL PRIMARY KEY,
			epoch  INTEGER NOT NULL,
			seq    INTEGER NOT NULL,
			crc    INTEGER NOT NULL
		 ) STRICT, WITHOUT ROWID;`,
		// 3: dead letters, the ids of delivered events, and the age of an event.
		`CREATE TABLE outbox_dead (
			app         TEXT    NOT NULL,
			seq         INTEGER NOT NULL,
			id          TEXT    NOT NULL,
			type        TEXT    NOT NULL,
			payload     BLOB    NOT NULL,
			inserted_at INTEGER NOT NULL,
			tries       INTEGER NOT NULL,
			last_error  TEXT    NOT NULL,
			reason      TEXT    NOT NULL,
			died_at     INTEGER NOT NULL,
			crc         INTEGER NOT NULL,
			PRIMARY KEY (app, seq)
		 ) STRICT, WITHOUT ROWID;
		 CREATE UNIQUE INDEX outbox_dead_id ON outbox_dead (app, id);
		 CREATE TABLE outbox_done (
			app TEXT    NOT NULL,
			seq INTEGER NOT NULL,
			id  TEXT    NOT NULL,
			PRIMARY KEY (app, seq)
		 ) STRICT, WITHOUT ROWID;
		 CREATE UNIQUE INDEX outbox_done_id ON outbox_done (app, id);
		 ALTER TABLE outbox_event ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0;`,
	}
}

// check refuses a file that is not ehc's, or that a newer ehc has migrated. It
// says how many steps have been done, and changes nothing. The tables of a
// replicator (Litestream) count for nothing: it may have come upon the file while
// it was still empty.
func check(ctx context.Context, c *conn, newest int) (done int, err error) {
	var id, tables int
	for query, dest := range map[string]*int{
		"PRAGMA application_id": &id,
		"PRAGMA user_version":   &done,
		`SELECT count(*) FROM sqlite_schema WHERE tbl_name NOT LIKE '\_litestream\_%' ESCAPE '\'`: &tables,
	} {
		if err := c.one(ctx, query, dest); err != nil {
			return 0, fmt.Errorf("read header: %w", err)
		}
	}
	fresh := id == 0 && done == 0 && tables == 0
	if id != applicationID && !fresh {
		return 0, fmt.Errorf("application id %#x: %w: another program's file", id, ErrDamaged)
	}
	if done > newest {
		return 0, fmt.Errorf("%w: it is at step %d, this version knows %d", ErrNewer, done, newest)
	}
	return done, nil
}

// migrate does the steps that are missing, each in a transaction of its own
// together with its number: after a crash it goes on where it was.
func migrate(ctx context.Context, c *conn, steps []string, done int) error {
	for n := done + 1; n <= len(steps); n++ {
		// A pragma takes no arguments; both numbers are ours.
		text := fmt.Sprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d; %s; COMMIT",
			applicationID, n, steps[n-1])
		if err := c.script(ctx, text); err != nil {
			_ = c.script(context.WithoutCancel(ctx), "ROLLBACK") // fails if SQLite has done it already
			return fmt.Errorf("migrate to step %d: %w", n, err)
		}
	}
	return nil
}
