package state

// AppRow is an app as the store keeps it: its peer block, and whether the block
// is still in the file.
type AppRow struct {
	App
	// Removed says that the block has left cluster.hcl. The row stays until the
	// last node of the app is gone, because its Prune bounds how they go; its
	// queries leave at once, and it gets no events.
	Removed bool
}

// Desired is the half of a snapshot that says what should be: the file, what
// discovery last learned of it, and what people have approved or suspended. Rows
// are ordered by key.
type Desired struct {
	Apps      []AppRow
	Queries   []Query
	Peers     []Peer
	Approvals []Approval
	Suspended []Suspension
}

// Live is the half of a snapshot that says what is. Rows are ordered by key.
type Live struct {
	Conns    []Conn
	Backlogs []Backlog
	Batches  []Batch
}
