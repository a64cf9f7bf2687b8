package inbox

import (
	"errors"
	"fmt"

	"ehc/state/disk"
)

// source is a sender's row.
type source struct {
	name      string
	known     bool  // it has a row
	forgotten Place // the greatest whose id is forgotten
}

func (s source) crc() uint32 {
	return checksum([]string{s.name}, s.forgotten.Epoch, s.forgotten.Seq)
}

// load reads the row of the source of this name. One without a row may have one,
// or the error is ErrTooMany.
func (s *source) load(tx *disk.Tx) error {
	var crc int64
	err := tx.QueryRow("SELECT epoch, seq, crc FROM inbox_source WHERE source = ?", s.name).
		Scan(&s.forgotten.Epoch, &s.forgotten.Seq, &crc)
	if errors.Is(err, disk.ErrNoRow) {
		var sources int
		if err := tx.QueryRow("SELECT count(*) FROM inbox_source").Scan(&sources); err != nil {
			return fmt.Errorf("count sources: %w", err)
		}
		if sources >= MaxSources {
			return fmt.Errorf("%w: source %q is one more than %d", ErrTooMany, s.name, MaxSources)
		}
		return nil
	}
	if err = damaged(err, crc, s.crc(), "source %q", s.name); err != nil {
		return err
	}
	s.known = true
	return nil
}

// save writes the row, its first or a new state of it.
func (s *source) save(tx *disk.Tx) error {
	_, err := tx.Exec(`INSERT INTO inbox_source (source, epoch, seq, crc) VALUES (?, ?, ?, ?)
		ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, crc = excluded.crc`,
		s.name, s.forgotten.Epoch, s.forgotten.Seq, int64(s.crc()))
	if err != nil {
		return fmt.Errorf("write source %q: %w", s.name, err)
	}
	return nil
}

// damaged is what reading a row came to: nil if it has the checksum that it
// should, a *DamageError that names the row, or another error.
func damaged(err error, got int64, want uint32, row string, args ...any) error {
	switch {
	case errors.Is(err, disk.ErrDamaged):
		return &DamageError{Row: fmt.Sprintf(row, args...), What: err.Error()}
	case err != nil:
		return fmt.Errorf("read %s: %w", fmt.Sprintf(row, args...), err)
	case got != int64(want):
		return &DamageError{Row: fmt.Sprintf(row, args...), What: "checksum does not match"}
	}
	return nil
}
