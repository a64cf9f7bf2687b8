package ergonode

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/ergo-services/ergo/node"
)

// seat is our place on ergo: its runtime, and the door by which finished links
// become connections that ergo's processes can send over.
//
// ergo learns of connections in two ways: from sockets that it dials or accepts
// itself, one handshake at a time and with its own idea of why one failed; and
// from its router, which is told that a node can be reached over a connection
// that exists already (ergo calls that a proxy). The second needs no socket, no
// goroutine and no handshake of ergo's, and takes effect before the call
// returns. So every link is made by our own code, and the router is told:
//
//	adopt    RouteProxyConnectRequest   the peer stands in ergo's table, with our link
//	release  RouteNodeDown              ergo's processes hear that their monitors ended
//	         RouteProxyDisconnect       the peer is gone from the table
//
// The router wants to see that whoever asks knows the proxy cookie and has a
// public key. Only our own code can ask it, so the cookie is made for one run and
// told to nobody, and the key is a number of the right shape: what ergo encrypts
// with it is thrown away.
type seat struct {
	node   node.Node
	router node.CoreRouter
	self   string
	cookie string
	key    []byte

	mu   sync.Mutex
	free []*proxy // of links that are gone
}

// sit starts ergo's runtime: no applications, no routes, and the listener on
// loopback that it insists on, which lets nobody in. It runs until its node is
// stopped, which must be after the links: ergo's mailboxes are no place to send to
// while its processes end.
func sit(name string, creation uint32) (*seat, error) {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	modulus := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	s := &seat{
		self: name, cookie: hex.EncodeToString(secret),
		key: x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: modulus, E: 65537}),
	}
	n, err := node.StartWithContext(context.Background(), name, s.cookie, node.Options{
		Creation:  creation,
		Registrar: registrar{},
		Handshake: shut{},
		Proto:     silent{},
		Listeners: []node.Listener{{Hostname: "127.0.0.1"}},
		Proxy:     node.Proxy{Accept: true, Cookie: s.cookie},
	})
	if err != nil {
		return nil, fmt.Errorf("start ergo: %w", err)
	}
	router, ok := n.(node.CoreRouter)
	if !ok {
		n.Stop()
		return nil, errors.New("start ergo: its node is no router")
	}
	s.node, s.router = n, router
	return s, nil
}

// take returns a proxy that no link has.
func (s *seat) take() *proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return &proxy{}
	}
	x := s.free[last]
	s.free = s.free[:last]
	return x
}

// leave has another link take the proxy.
func (s *seat) leave(x *proxy) {
	x.link.Store(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, x)
}

// adopt makes ergo's processes reach a peer over l, the only link to it, and gives l
// its proxy, which is told the session's id before adopt returns.
func (s *seat) adopt(l *link) error {
	x, creation := s.take(), l.with.Creation
	x.link.Store(l)
	err := s.router.RouteProxyConnectRequest(x, node.ProxyConnectRequest{
		To:        s.self,
		Creation:  creation,
		PublicKey: s.key,
		Digest:    s.digest(creation),
		Path:      []string{s.self, l.with.Name},
	})
	if err != nil {
		s.leave(x)
		return fmt.Errorf("adopt: %w", err)
	}
	l.proxy = x
	return nil
}

// release ends what adopt began: every monitor that ergo's processes hold on the
// peer ends with noconnection.
func (s *seat) release(l *link) {
	s.router.RouteNodeDown(l.with.Name, nil)
	_ = s.router.RouteProxyDisconnect(l.proxy, node.ProxyDisconnect{
		Node: l.with.Name, Proxy: s.self, SessionID: *l.proxy.session.Load(), Reason: "noconnection",
	})
	s.leave(l.proxy)
}

// digest is what ergo wants to see with a request for a proxy connection.
func (s *seat) digest(creation uint32) []byte {
	a := md5.Sum(binary.BigEndian.AppendUint32(nil, creation))
	b := md5.Sum(append(a[:], s.cookie...))
	c := md5.Sum(append(b[:], s.key...))
	return c[:]
}
