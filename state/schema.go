package state

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/go-memdb"
)

// The indexes of a table: every table has a key, some can be read by node.
const (
	byKey  = "id"
	byNode = "node"
)

// The tables. They are never changed.
var (
	appTable = table[AppRow]{
		name:  "apps",
		key:   func(a AppRow) string { return key(a.Name) },
		same:  func(a, b AppRow) bool { return reflect.DeepEqual(a, b) },
		plain: whole[AppRow],
	}
	queryTable = table[Query]{
		name: "queries", // by app, then name
		key:  func(q Query) string { return key(q.App, q.Name) },
		same: equal[Query], plain: plainQuery,
	}
	peerTable = table[Peer]{
		name: "peers", // by app, then query, then node
		key:  func(p Peer) string { return key(p.App, p.Query, string(p.Node)) },
		node: func(p Peer) string { return key(string(p.Node)) },
		same: equal[Peer], plain: whole[Peer],
	}
	connTable = table[Conn]{
		name: "conns",
		key:  func(c Conn) string { return key(string(c.Node)) },
		same: equal[Conn], plain: plainConn,
	}
	backlogTable = table[Backlog]{
		name: "backlogs",
		key:  func(b Backlog) string { return key(b.App) },
		same: equal[Backlog], plain: plainBacklog,
	}
	approvalTable = table[Approval]{
		name: "approvals",
		key:  func(a Approval) string { return key(string(a.Node)) },
		same: equal[Approval], plain: whole[Approval],
	}
	suspensionTable = table[Suspension]{
		name: "suspensions",
		key:  func(s Suspension) string { return key(s.App) },
		same: equal[Suspension], plain: whole[Suspension],
	}
	batchTable = table[Batch]{
		name: "batches",
		key:  func(b Batch) string { return key(b.App) },
		same: equal[Batch], plain: whole[Batch],
	}
	pubsubTable = table[PubSubPeer]{
		name:  "pubsub",
		key:   func(p PubSubPeer) string { return key(string(p.Node)) },
		same:  samePubSub,
		plain: func(PubSubPeer) PubSubPeer { return PubSubPeer{} }, // no action follows from it
	}
	conditionsTable = table[Conditions]{
		name:  "conditions", // of apps, then of nodes
		key:   func(c Conditions) string { return key(c.App, string(c.Node)) },
		same:  sameConditions,
		plain: func(Conditions) Conditions { return Conditions{} }, // they follow from the other rows
	}
	momentTable = table[moment]{
		name: "moments",
		key:  func(moment) string { return key("now") },
		same: equal[moment], plain: whole[moment],
	}
)

// moment is the one row of a table that every write touches, so that one watch
// sees every change.
type moment struct {
	Index      uint64 // of the facts that a reviewed plan depends on
	Version    uint64 // of everything
	Generation uint64 // of the file in force
}

// plainQuery leaves whether the query can be relied on, and drops in which words
// it failed, how often it was empty and which machines are stopped.
func plainQuery(q Query) Query {
	if q.Err != "" {
		q.Err = "failed"
	}
	q.EmptyTimes = min(q.EmptyTimes, 1)
	q.Machines = Machines{}
	return q
}

// plainConn leaves what tells one live link from another, and drops how its
// dials and resyncs fare. A node that is down is one, whatever is being done
// about it.
func plainConn(c Conn) Conn {
	if c.Phase != Up {
		return Conn{}
	}
	return Conn{Node: c.Node, App: c.App, Phase: Up, Since: c.Since, Creation: c.Creation, Synced: c.Synced}
}

// plainBacklog leaves whether anything waits.
func plainBacklog(b Backlog) Backlog {
	if b.Pending == 0 {
		return Backlog{}
	}
	return Backlog{App: b.App, Pending: 1}
}

func whole[T any](row T) T            { return row }
func equal[T comparable](a, b T) bool { return a == b }

// key joins the parts of a key so that rows sort by the first part, then by the
// next, and so that no part is taken for the beginning of a longer one.
func key(parts ...string) string { return strings.Join(parts, "\x00") + "\x00" }

// table is one table of rows of type T.
type table[T any] struct {
	name  string
	key   func(T) string    // unique
	node  func(T) string    // a second way to find rows; nil if there is none
	same  func(a, b T) bool //
	plain func(T) T         // the row without what no reviewed plan depends on
}

func schema() *memdb.DBSchema {
	tables := map[string]*memdb.TableSchema{}
	for _, t := range []*memdb.TableSchema{
		appTable.schema(), queryTable.schema(), peerTable.schema(), connTable.schema(),
		backlogTable.schema(), approvalTable.schema(), suspensionTable.schema(), batchTable.schema(), pubsubTable.schema(), conditionsTable.schema(), momentTable.schema(),
	} {
		tables[t.Name] = t
	}
	return &memdb.DBSchema{Tables: tables}
}

func (t table[T]) schema() *memdb.TableSchema {
	s := &memdb.TableSchema{Name: t.name, Indexes: map[string]*memdb.IndexSchema{
		byKey: {Name: byKey, Unique: true, Indexer: indexer[T](t.key)},
	}}
	if t.node != nil {
		s.Indexes[byNode] = &memdb.IndexSchema{Name: byNode, Indexer: indexer[T](t.node)}
	}
	return s
}

// indexer finds rows of type T by what it makes of them, or by a prefix of that.
type indexer[T any] func(T) string

// FromObject is memdb's: the value under which it finds row.
func (x indexer[T]) FromObject(row any) (bool, []byte, error) {
	r, ok := row.(T)
	if !ok {
		return false, nil, fmt.Errorf("row is a %T, want a %T", row, r)
	}
	return true, []byte(x(r)), nil
}

// FromArgs is memdb's: the value that the caller looks for, made with key.
func (x indexer[T]) FromArgs(args ...any) ([]byte, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments, want one key", len(args))
	}
	k, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("argument is a %T, want a key", args[0])
	}
	return []byte(k), nil
}

// PrefixFromArgs is memdb's: FromArgs, for the beginning of a key.
func (x indexer[T]) PrefixFromArgs(args ...any) ([]byte, error) { return x.FromArgs(args...) }
