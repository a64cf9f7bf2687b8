// Package epmd speaks to the Erlang port mapper daemon, and can stand in for it.
//
// It asks which nodes live at an address (Names, Lookup), keeps our own node
// listed there (Register, Keep), and serves the same protocol where no daemon
// runs (Server, Join). It knows names and ports only: it never dials a node,
// reads no environment and logs nothing. It asks nobody to stop or to dump, and
// does neither when asked.
//
// A request is a length and a body; an answer has no length, and the daemon
// closes after it except for ALIVE2:
//
//	request   u16 length | body
//	ALIVE2    120 | port u16 | type u8 | protocol u8 | highest u16 | lowest u16 | nlen u16 | name | elen u16 | extra
//	          → 118 | result u8 | creation u32       highest ≥ 6; the connection is the registration
//	          → 121 | result u8 | creation u16       highest 5
//	PORT2     122 | name
//	          → 119 | 0 | port … extra as in ALIVE2  found
//	          → 119 | 1                              not found
//	NAMES     110
//	          → EPMD's port u32 | lines "name NAME at port N\n"
package epmd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"ehc/transport"
)

// DefaultPort is where EPMD listens unless ERL_EPMD_PORT says otherwise.
const DefaultPort = 4369

// Limits on what an EPMD may say and how long it may take.
const (
	askTimeout  = 10 * time.Second
	maxName     = 255
	maxNames    = 1 << 20 // bytes of a NAMES answer
	maxPort2    = 1 << 17 // more than the fields of a PORT2 answer can hold
	protocolTCP = 0       // for IPv6 too
)

const (
	opAlive2  = 120
	opPort2   = 122
	opNames   = 110
	ansAlive2 = 118 // with a creation of 32 bits
	ansAlive  = 121 // with one of 16
	ansPort2  = 119

	typeNormal = 77 // 'M': what Erlang nodes send, hidden ones too
	version6   = 6
	version5   = 5
)

// Entry is a node that EPMD lists: Name is the part before the @.
type Entry struct {
	Name string
	Port uint16
}

// dial connects to an EPMD. Every read and write on the connection ends with
// ctx and within askTimeout until release, which says whether that had not come
// about yet; it is to be called in any case.
func dial(ctx context.Context, at netip.AddrPort) (c net.Conn, release func() bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	var d net.Dialer
	c, err = d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		cancel()
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return c, func() bool { defer cancel(); return stop() }, nil
}

// ask sends one request and returns the whole answer, of at most limit bytes;
// what goes beyond is an error.
func ask(ctx context.Context, at netip.AddrPort, body []byte, limit int) ([]byte, error) {
	c, release, err := dial(ctx, at)
	if err != nil {
		return nil, cause(ctx, err)
	}
	defer release()
	defer c.Close()
	if _, err := c.Write(request(body)); err != nil {
		return nil, cause(ctx, err)
	}
	answer, err := io.ReadAll(io.LimitReader(c, int64(limit)+1))
	switch {
	case err != nil:
		return nil, cause(ctx, err)
	case len(answer) == 0:
		return nil, fmt.Errorf("%w: closed without an answer", transport.ErrUnreachable)
	case len(answer) > limit:
		return nil, fmt.Errorf("%w: answer of more than %d bytes", transport.ErrProtocol, limit)
	}
	return answer, nil
}

func request(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(body)), uint16(len(body))), body...)
}

// cause gives an error of the network the name that the caller acts on.
func cause(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", transport.ErrTimeout, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: no answer within %s", transport.ErrTimeout, askTimeout)
	}
	return fmt.Errorf("%w: %w", transport.ErrUnreachable, err)
}
