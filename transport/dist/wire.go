package dist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"ehc/transport"
)

// maxMessage is the longest handshake message that is read, in bytes. The longest
// that a node sends has a name of 255 bytes in it.
const maxMessage = 1024

// A TLS record begins with its type and a version. As the length of a handshake
// message it is more than maxMessage.
const (
	tlsAlert   = 0x15
	tlsHello   = 0x16
	tlsVersion = 0x03
)

// wire carries handshake messages. It reads exactly their bytes, so that what
// comes after the handshake is left to its reader.
type wire struct {
	rw   io.ReadWriter
	wide bool // lengths of four bytes
}

// send writes one message in one Write; body writes what follows the tag.
func (w wire) send(tag byte, body func([]byte) []byte) error {
	const widest = 4
	b := body(append(make([]byte, widest, 64), tag))
	n := len(b) - widest
	if w.wide {
		binary.BigEndian.PutUint32(b, uint32(n))
	} else {
		b = b[2:]
		binary.BigEndian.PutUint16(b, uint16(n))
	}
	_, err := w.rw.Write(b)
	return lost(err)
}

func (w wire) sendStatus(text string) error {
	return w.send(tagStatus, func(b []byte) []byte { return append(b, text...) })
}

// receive returns what follows the tag in the next message.
func (w wire) receive(tag byte) ([]byte, error) {
	n, err := w.length()
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(w.rw, b); err != nil {
		return nil, lost(err)
	}
	if b[0] != tag {
		return nil, fmt.Errorf("%w: handshake message %q in place of %q", transport.ErrProtocol, b[0], tag)
	}
	return b[1:], nil
}

func (w wire) length() (int, error) {
	head := make([]byte, 4)
	if !w.wide {
		head = head[2:]
	}
	if _, err := io.ReadFull(w.rw, head); err != nil {
		return 0, lost(err)
	}
	if !w.wide && head[0] == tlsAlert && head[1] == tlsVersion {
		return 0, fmt.Errorf("%w: the port speaks TLS and answers our plain handshake with an alert", transport.ErrTLS)
	}
	if !w.wide && head[0] == tlsHello && head[1] == tlsVersion {
		return 0, fmt.Errorf("%w: the peer speaks TLS, and we do not", transport.ErrTLS)
	}
	n := uint32(binary.BigEndian.Uint16(head[len(head)-2:]))
	if w.wide {
		n = binary.BigEndian.Uint32(head)
	}
	if n == 0 || n > maxMessage {
		return 0, fmt.Errorf("%w: handshake message of %d bytes", transport.ErrProtocol, n)
	}
	return int(n), nil
}

// lost names the cause of an error of the connection. What the caller did itself,
// by closing, has none of the causes.
func lost(err error) error {
	var timeout net.Error
	var op *net.OpError
	switch {
	case err == nil, errors.Is(err, net.ErrClosed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: no answer in the handshake", transport.ErrTimeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: closed in the handshake: %w", transport.ErrUnreachable, err)
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // alerts of crypto/tls
		return fmt.Errorf("%w: %w", transport.ErrTLS, err)
	}
	return fmt.Errorf("%w: %w", transport.ErrUnreachable, err)
}
