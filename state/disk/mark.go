package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// markFlush is after how many commits the mark is flushed: a power cut hides
// damage in at most about as many of the newest.
const markFlush = 4096

// mark is the file that counts the commits a second time.
//
//	offset  bytes
//	0       8      commits, big-endian
//	8       4      CRC-32C of those
//
// It is written after a commit and never before, so it is never ahead of a
// store that is whole. Written in place: if it is torn it says nothing.
type mark struct {
	f *os.File
}

// openMark opens or makes the mark, and says what it counts: 0 if it is new
// or torn.
func openMark(path string) (mark, uint64, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return mark{}, 0, fmt.Errorf("open mark: %w", err)
	}
	var b [12]byte
	if _, err := f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return mark{}, 0, errors.Join(fmt.Errorf("read mark: %w", err), f.Close())
	}
	if binary.BigEndian.Uint32(b[8:]) != crc32.Checksum(b[:8], castagnoli()) {
		return mark{f}, 0, nil
	}
	return mark{f}, binary.BigEndian.Uint64(b[:]), nil
}

// write notes that there have been this many commits. That it failed harms no
// commit: the mark is then behind, as after a power cut.
func (m mark) write(commits uint64) {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], commits)
	binary.BigEndian.PutUint32(b[8:], crc32.Checksum(b[:8], castagnoli()))
	if _, err := m.f.WriteAt(b[:], 0); err == nil && commits%markFlush == 0 {
		_ = m.f.Sync()
	}
}

func (m mark) close() error { return errors.Join(m.f.Sync(), m.f.Close()) }

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
