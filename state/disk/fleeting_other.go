//go:build !linux

package disk

// Fleeting says where the store is if that does not outlast the machine. Here it
// cannot be found out.
func (db *DB) Fleeting() string { return "" }
