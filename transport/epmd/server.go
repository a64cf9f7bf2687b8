package epmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// Limits of a Server.
const (
	maxEntries    = 1024
	maxAsking     = 256  // connections whose request has not been answered yet
	maxPerAddress = 64   // of those
	maxRequest    = 1024 // bytes
	acceptPause   = 100 * time.Millisecond
)

// Server is an EPMD for machines where none runs. The zero Server is ready, and
// lists nobody. Its methods are safe for concurrent use.
//
// It answers ALIVE2, PORT2 and NAMES, and closes on everything else. As EPMD does,
// it takes registrations from its own machine only and answers questions from
// everywhere. A node is listed for as long as its connection lives.
type Server struct {
	table table
}

// Serve answers on l until ctx ends or l fails, and returns then ctx's error or
// l's. By then l and every connection is closed, no goroutine is left and the
// nodes that had registered over l are listed no longer. It may run for several
// listeners at once, which show the same entries.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := sync.OnceFunc(func() { // who loses its registration finds nobody who would take it again
		_ = l.Close()
		cancel()
	})
	var conns sync.WaitGroup
	defer conns.Wait()
	defer end()
	defer context.AfterFunc(ctx, end)()
	asking := newAskers()
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case passing(err):
			pause(ctx, acceptPause)
			continue
		default:
			return fmt.Errorf("serve EPMD: %w", err)
		}
		if !asking.enter(c.RemoteAddr()) {
			_ = c.Close()
			continue
		}
		conns.Go(func() { s.serve(serving, c, asking) })
	}
}

// passing says whether the next Accept may work: the table of files is full, or
// the client has gone already.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// serve answers the one request of a connection, and holds on to the connection
// if that was a registration.
func (s *Server) serve(ctx context.Context, c net.Conn, asking *askers) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	e := s.answer(c)
	asking.leave(c.RemoteAddr())
	if e == nil {
		return
	}
	defer s.table.drop(e)
	if c.SetDeadline(time.Time{}) == nil {
		_, _ = c.Read(make([]byte, 1)) // anything more ends the registration
	}
}

// answer reads and answers a request. It returns what the connection registered,
// nil if nothing.
func (s *Server) answer(c net.Conn) *entry {
	if c.SetDeadline(time.Now().Add(askTimeout)) != nil {
		return nil
	}
	body, err := readRequest(c)
	if err != nil {
		return nil
	}
	switch body[0] {
	case opAlive2:
		return s.alive2(c, body)
	case opPort2:
		_, _ = c.Write(s.table.port2(string(body[1:])))
	case opNames:
		_, _ = c.Write(s.table.names(c.LocalAddr()))
	}
	return nil
}

func (s *Server) alive2(c net.Conn, body []byte) *entry {
	e, ok := parseAlive2(body)
	if !ok || !local(c) {
		return nil
	}
	creation, err := s.table.add(e)
	if _, sent := c.Write(e.alive2Answer(creation, err == nil)); err != nil {
		return nil
	} else if sent != nil {
		s.table.drop(e)
		return nil
	}
	return e
}

// local says whether the other end is on this machine.
func local(c net.Conn) bool {
	here, ok := c.LocalAddr().(*net.TCPAddr)
	there, also := c.RemoteAddr().(*net.TCPAddr)
	return ok && also && (there.IP.IsLoopback() || there.IP.Equal(here.IP))
}

// readRequest returns a body of at least one byte.
func readRequest(r io.Reader) ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := int(head[0])<<8 | int(head[1])
	if n == 0 || n > maxRequest {
		return nil, fmt.Errorf("request of %d bytes", n)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}
