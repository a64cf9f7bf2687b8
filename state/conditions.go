package state

import (
	"slices"
	"time"
)

// Condition is one thing that holds for an app or a node, or does not.
type Condition struct {
	Type       string // such as Connected
	Status     string // "True", "False" or "Unknown"
	Reason     string // a stable word
	Message    string // the same for people
	Since      time.Time
	Generation uint64 // of the file in force that it speaks of
}

// Conditions is what holds of one app, or of one node if App is empty.
type Conditions struct {
	App  string
	Node Node
	Of   []Condition // shared, and not to be changed
}

// Change is a condition whose Status or Reason is another than before.
type Change struct {
	App  string
	Node Node
	From Condition // the zero Condition if there was none
	To   Condition
}

func sameConditions(a, b Conditions) bool {
	return a.App == b.App && a.Node == b.Node && slices.Equal(a.Of, b.Of)
}

// RecordConditions records what holds of apps and nodes, forgets those that are gone,
// and returns what has changed, in the order of rows. A Since stays what it was while
// the Status does; where that is another, it is the one that rows give, or now if they
// give none. It wakes nobody.
func (s *Store) RecordConditions(rows, gone []Conditions, now time.Time) ([]Change, error) {
	var changes []Change
	err := s.write("conditions", func(w *write) error {
		w.quiet = true
		for _, row := range rows {
			old, _ := conditionsTable.get(w.txn, conditionsTable.key(row))
			row.Of = slices.Clone(row.Of)
			changes = append(changes, row.follow(old, now)...)
			conditionsTable.put(w, row)
		}
		for _, row := range gone {
			if old, ok := conditionsTable.get(w.txn, conditionsTable.key(row)); ok {
				conditionsTable.remove(w, old)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// follow sets when each condition of c began and returns those that are other than
// in old.
func (c Conditions) follow(old Conditions, now time.Time) []Change {
	var changes []Change
	for i := range c.Of {
		to := &c.Of[i]
		from := old.Named(to.Type)
		switch {
		case from.Status == to.Status:
			to.Since = from.Since
		case to.Since.IsZero():
			to.Since = now
		}
		if from.Status != to.Status || from.Reason != to.Reason {
			changes = append(changes, Change{App: c.App, Node: c.Node, From: from, To: *to})
		}
	}
	return changes
}

// Named is the condition of a type; the zero Condition if there is none.
func (c Conditions) Named(kind string) Condition {
	for _, x := range c.Of {
		if x.Type == kind {
			return x
		}
	}
	return Condition{}
}
