// Package zone is a small authoritative DNS server on loopback: for ehc dev,
// for the examples and for tests, which have it misbehave on demand.
//
// It owns two sockets, UDP and TCP on one port, and the names it was told. It
// answers for every name there is: what it was not told does not exist. It
// opens no socket anywhere but on loopback, asks nobody else, reads no zone file
// and knows no wildcards.
package zone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/miekg/dns"
)

// portTries bounds the search for a port that is free for both UDP and TCP.
const portTries = 16

// Server answers questions until it is closed. Its methods are safe to call at
// once, and what they set holds for every question that arrives after they
// have returned. Names may be given in any case, with or without a final dot.
type Server struct {
	addr     netip.AddrPort
	udp, tcp *dns.Server
	serving  sync.WaitGroup
	unlink   func() bool // takes the server off the context that it was made with
	closing  sync.Once
	closeErr error

	mu        sync.Mutex
	names     map[string]*records
	faults    map[question]Fault
	asked     map[string]int
	questions int
}

// question is what a fault is set on; typ 0 stands for every type.
type question struct {
	name string
	typ  uint16
}

// Serve answers on at, UDP and TCP, until Close is called or ctx ends. Port 0
// takes any port that is free for both; Addr tells which. It is an error if at
// is not a loopback address, or if the port is taken.
func Serve(ctx context.Context, at netip.AddrPort) (*Server, error) {
	if !at.Addr().Unmap().IsLoopback() {
		return nil, fmt.Errorf("serve DNS on %s: not a loopback address", at)
	}
	listener, packets, err := listen(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("serve DNS on %s: %w", at, err)
	}
	return ServeOn(ctx, listener, packets), nil
}

// ServeOn is Serve on sockets that the caller has opened, at one address, such as
// in a network namespace. The server closes them.
func ServeOn(ctx context.Context, listener net.Listener, packets net.PacketConn) *Server {
	s := &Server{
		addr:   listener.Addr().(*net.TCPAddr).AddrPort(),
		names:  map[string]*records{},
		faults: map[question]Fault{},
		asked:  map[string]int{},
	}
	s.addr = netip.AddrPortFrom(s.addr.Addr().Unmap(), s.addr.Port())
	s.udp = s.start(&dns.Server{PacketConn: packets, Handler: s.handler(false)})
	s.tcp = s.start(&dns.Server{Listener: listener, Handler: s.handler(true)})
	s.unlink = context.AfterFunc(ctx, func() { _ = s.shutdown() })
	return s
}

// listen opens both sockets on one port.
func listen(ctx context.Context, at netip.AddrPort) (net.Listener, net.PacketConn, error) {
	var lc net.ListenConfig
	for try := 1; ; try++ {
		listener, err := lc.Listen(ctx, "tcp", at.String())
		if err != nil {
			return nil, nil, err
		}
		packets, err := lc.ListenPacket(ctx, "udp", listener.Addr().String())
		if err == nil {
			return listener, packets, nil
		}
		_ = listener.Close()
		if at.Port() != 0 || try == portTries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, err
		}
	}
}

// start returns once srv takes questions, so that a later Shutdown finds it
// running.
func (s *Server) start(srv *dns.Server) *dns.Server {
	started := make(chan struct{})
	srv.NotifyStartedFunc = func() { close(started) }
	s.serving.Go(func() {
		// It ends with an error only if its socket is closed under it, which
		// shutdown alone does.
		_ = srv.ActivateAndServe()
	})
	<-started
	return srv
}

// Addr is the address that the server answers on, with the port in use.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Close stops the server, closes both sockets and waits for the answers under
// way. It may be called more than once, and after the context has ended.
func (s *Server) Close() error {
	s.unlink()
	return s.shutdown()
}

func (s *Server) shutdown() error {
	s.closing.Do(func() {
		s.closeErr = errors.Join(s.udp.Shutdown(), s.tcp.Shutdown())
		s.serving.Wait()
	})
	return s.closeErr
}

// Questions is how many questions have arrived, over UDP and TCP.
func (s *Server) Questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.questions
}

// Asked is how many questions have arrived for name, of any type.
func (s *Server) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[canonical(name)]
}

func canonical(name string) string { return dns.CanonicalName(name) }
