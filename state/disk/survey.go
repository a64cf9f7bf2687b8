package disk

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Cut is the end of the log that is not a whole commit.
type Cut struct {
	Bytes int64
	// Commits is how many commit records are in it. There is at most one commit
	// that is not flushed, so a torn one leaves none or one. With more the log was
	// damaged before its end, and commits that had been acknowledged are lost; so
	// they may be if several flushes before the crash had failed.
	Commits int
}

// Sizes and magic numbers of SQLite's log. All numbers in it are big-endian; its
// header is
//
//	offset  bytes                    offset  bytes
//	0       4  magic; its lowest     12      4  number of the checkpoint
//	           bit is the order of   16      8  salt
//	           the words summed      24      8  checksum of these 24
//	4       4  format
//	8       4  page size
//
// and each frame is a header and a page:
//
//	0       4  page number           8       8  salt, the header's
//	4       4  pages of the store    16      8  checksum of the first 8 and the
//	           after a commit, or 0             page, going on from the one before
const (
	walHeader   = 32
	walFrame    = 24
	walMagic    = 0x377f0682
	maxPageSize = 1 << 16
)

// survey reads the log as SQLite is about to, and says what of it SQLite will
// leave out as torn. A log that is not there, or that has no whole header, holds
// nothing that was ever flushed.
func survey(path string) (Cut, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Cut{}, nil
	}
	if err != nil {
		return Cut{}, fmt.Errorf("read log: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	cut, err := surveyLog(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return Cut{}, fmt.Errorf("read log: %w", err)
	}
	return cut, nil
}

func surveyLog(r io.Reader) (Cut, error) {
	header := make([]byte, walHeader)
	if _, err := io.ReadFull(r, header); err != nil {
		return Cut{}, ended(err)
	}
	magic, size := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[8:])
	if magic&^1 != walMagic || size < 512 || size > maxPageSize || size&(size-1) != 0 {
		return Cut{}, nil
	}
	sum := walSum{order: binary.ByteOrder(binary.LittleEndian)}
	if magic&1 == 1 {
		sum.order = binary.BigEndian
	}
	if sum.add(header[:24]); !sum.is(header[24:]) {
		return Cut{}, nil
	}
	var cut Cut
	torn := false
	for frame := make([]byte, walFrame+size); ; {
		n, err := io.ReadFull(r, frame)
		if n < 16 || string(frame[8:16]) != string(header[16:24]) {
			break // what is left of an older log, or nothing
		}
		cut.Bytes += int64(n)
		if err != nil {
			if err := ended(err); err != nil {
				return Cut{}, err
			}
			break
		}
		sum.add(frame[:8])
		sum.add(frame[walFrame:])
		whole := sum.is(frame[16:])
		torn = torn || !whole
		sum.take(frame[16:]) // behind a bad frame the next can still be checked
		commit := binary.BigEndian.Uint32(frame[4:]) != 0
		switch {
		case !torn && commit:
			cut.Bytes = 0
		case whole && commit:
			cut.Commits++
		}
	}
	return cut, nil
}

// ended is err, unless it only says that there is no more.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// walSum is the running checksum of the log: two sums over pairs of words.
type walSum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (s *walSum) add(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		s.a += s.order.Uint32(p) + s.b
		s.b += s.order.Uint32(p[4:]) + s.a
	}
}

func (s *walSum) is(p []byte) bool {
	return binary.BigEndian.Uint32(p) == s.a && binary.BigEndian.Uint32(p[4:]) == s.b
}

func (s *walSum) take(p []byte) {
	s.a, s.b = binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
}
