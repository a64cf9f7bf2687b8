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

	"ehc/transport"
)

// Registration is what a node tells EPMD of itself: Name is the part before the
// @, Port is where it listens for other nodes. EPMD is not told whether a node
// is hidden.
type Registration struct {
	Name string
	Port uint16
}

func (r Registration) check() error {
	if len(r.Name) == 0 || len(r.Name) > maxName {
		return fmt.Errorf("a name has 1 to %d bytes, not %d", maxName, len(r.Name))
	}
	if r.Port == 0 {
		return fmt.Errorf("port 0 cannot be registered")
	}
	return nil
}

// TakenError says that EPMD lists another live node under the name.
type TakenError struct{ Name string }

func (e *TakenError) Error() string { return fmt.Sprintf("name %s is taken", e.Name) }

// Registered is a name that EPMD lists as ours. Its methods are safe for
// concurrent use. Its owner calls Close.
type Registered struct {
	creation uint32
	conn     net.Conn
	lost     chan struct{}
}

// Register puts a name into the EPMD at this address, where it stays until Close
// or until the daemon goes. ctx bounds the registering only, ten seconds do so
// too. An error is a *TakenError, or wraps transport.ErrUnreachable, ErrTimeout,
// ErrProtocol or ctx's cancellation.
//
// EPMD takes names from its own machine only: a daemon elsewhere closes, which is
// ErrUnreachable.
func Register(ctx context.Context, at netip.AddrPort, r Registration) (*Registered, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("register %.80q: %w", r.Name, err)
	}
	conn, creation, err := register(ctx, at, r)
	if err != nil {
		return nil, fmt.Errorf("register %s at %s: %w", r.Name, at, err)
	}
	g := &Registered{creation: creation, conn: conn, lost: make(chan struct{})}
	go g.watch()
	return g, nil
}

func register(ctx context.Context, at netip.AddrPort, r Registration) (net.Conn, uint32, error) {
	c, release, err := dial(ctx, at)
	if err != nil {
		return nil, 0, cause(ctx, err)
	}
	creation, err := r.introduce(c)
	if err != nil {
		release()
		_ = c.Close() // EPMD leaves it open when the name is taken
		return nil, 0, introduction(ctx, err)
	}
	if !release() { // ctx ended just now, and has set or will set a deadline
		_ = c.Close()
		return nil, 0, cause(ctx, os.ErrDeadlineExceeded)
	}
	return c, creation, nil
}

// introduction parts what EPMD answered from what the network did.
func introduction(ctx context.Context, err error) error {
	var taken *TakenError
	if errors.As(err, &taken) || errors.Is(err, transport.ErrProtocol) {
		return err
	}
	return cause(ctx, err)
}

// introduce asks for the name and returns the creation. The answer is read to
// its length, for EPMD does not close after it.
func (r Registration) introduce(c io.ReadWriter) (creation uint32, err error) {
	if _, err := c.Write(request(r.alive2())); err != nil {
		return 0, err
	}
	b := make([]byte, 6)
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return 0, err
	}
	switch {
	case b[0] != ansAlive2 && b[0] != ansAlive:
		return 0, fmt.Errorf("%w: ALIVE2 answer %x", transport.ErrProtocol, b[:2])
	case b[1] != 0:
		return 0, &TakenError{Name: r.Name}
	case b[0] == ansAlive: // an EPMD older than OTP 23
		_, err = io.ReadFull(c, b[4:])
	default:
		_, err = io.ReadFull(c, b[2:])
	}
	return binary.BigEndian.Uint32(b[2:]), err
}

func (r Registration) alive2() []byte {
	b := binary.BigEndian.AppendUint16([]byte{opAlive2}, r.Port)
	b = append(b, typeNormal, protocolTCP, 0, version6, 0, version5)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Name)))
	b = append(b, r.Name...)
	return append(b, 0, 0)
}

// watch waits for the end of the connection: EPMD never says anything more on it.
func (g *Registered) watch() {
	defer close(g.lost)
	_, _ = g.conn.Read(make([]byte, 1))
	_ = g.conn.Close()
}

// Creation is the incarnation that EPMD gave.
func (g *Registered) Creation() uint32 { return g.creation }

// Lost is closed once the name is listed no longer, by EPMD's doing or by Close.
func (g *Registered) Lost() <-chan struct{} { return g.lost }

// Close takes the name out of EPMD. It may be called more than once.
func (g *Registered) Close() error {
	_ = g.conn.Close()
	<-g.lost
	return nil
}
