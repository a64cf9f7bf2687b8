package inbox

import (
	"errors"
	"fmt"
	"time"

	"ehc/state"
	"ehc/state/disk"
)

const selectEvent = "SELECT n, id, source, epoch, seq, at, crc FROM inbox_event "

// scanEvent reads a row of selectEvent: its number, and the event without its
// counter. The number is there even if the row is damaged.
func scanEvent(raw disk.Row) (n int64, e Event, err error) {
	var at, crc int64
	err = raw.Scan(&n, &e.ID, &e.Source, &e.Place.Epoch, &e.Place.Seq, &at, &crc)
	if errors.Is(err, disk.ErrNoRow) {
		return 0, Event{}, err
	}
	e.At = time.Unix(0, at)
	return n, e, damaged(err, crc, e.crc(), "id %q", e.ID)
}

// forget deletes the oldest ids that are beyond the limits, of the first most, and
// keeps the greatest place of each source among them. A damaged row goes with
// those around it but says nothing, since a place that is too great would swallow
// new events; it is returned.
func forget(tx *disk.Tx, limits state.InboxSpec, now time.Time, most int) (*DamageError, error) {
	var first, last int64
	err := tx.QueryRow("SELECT coalesce(min(n), 1), coalesce(max(n), 0) FROM inbox_event").Scan(&first, &last)
	if err != nil {
		return nil, fmt.Errorf("count ids: %w", err)
	}
	surplus := last - int64(limits.MaxIDs) // the number of the last that is too many
	oldest := now.Add(-limits.KeepFor)
	end := first // of those to delete
	places := map[string]Place{}
	var seen, gone *DamageError
	for raw, err := range tx.Query(selectEvent+"ORDER BY n LIMIT ?", most) {
		if err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		n, e, err := scanEvent(raw)
		whole := !errors.As(err, &seen)
		if whole && err != nil {
			return nil, err
		}
		if n > surplus && whole && !e.At.Before(oldest) {
			break
		}
		if n > surplus && !whole {
			continue // the next row says whether its time has come
		}
		if whole && e.Source != "" && e.Place.beyond(places[e.Source]) {
			places[e.Source] = e.Place
		}
		end, gone = n+1, seen
	}
	if end == first {
		return nil, nil //nolint:nilnil // nothing was damaged
	}
	if _, err := tx.Exec("DELETE FROM inbox_event WHERE n < ?", end); err != nil {
		return nil, fmt.Errorf("forget ids: %w", err)
	}
	return gone, keepPlaces(tx, places)
}

// keepPlaces raises the places of these sources. A source whose row is damaged
// stays so, and its next event tells.
func keepPlaces(tx *disk.Tx, places map[string]Place) error {
	for name, p := range places {
		s := source{name: name}
		err := s.load(tx)
		if refused(err) {
			continue
		}
		if err != nil {
			return err
		}
		if s.known && !p.beyond(s.forgotten) {
			continue
		}
		s.forgotten = p
		if err := s.save(tx); err != nil {
			return err
		}
	}
	return nil
}
