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

	mu      sync.Mutex
	proxies map[string]*proxy // by name of the peer
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
		self: name, cookie: hex.EncodeToString(secret), proxies: map[string]*proxy{},
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

// proxyOf returns the proxy of a peer.
func (s *seat) proxyOf(name string) *proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.proxies[name]
	if x == nil {
		x = &proxy{name: name}
		s.proxies[name] = x
	}
	return x
}

// adopt makes ergo's processes reach a peer over l, the only link to it. Its proxy
// is told the session's id before adopt returns.
func (s *seat) adopt(l *link) error {
	x, creation := l.proxy, l.with.Creation
	x.link.Store(l)
	err := s.router.RouteProxyConnectRequest(x, node.ProxyConnectRequest{
		To:        s.self,
		Creation:  creation,
		PublicKey: s.key,
		Digest:    s.digest(creation),
		Path:      []string{s.self, x.name},
	})
	if err != nil {
		x.link.Store(nil)
		return fmt.Errorf("adopt: %w", err)
	}
	return nil
}

// release ends what adopt began: every monitor that ergo's processes hold on the
// peer ends with noconnection.
func (s *seat) release(x *proxy) {
	s.router.RouteNodeDown(x.name, nil)
	_ = s.router.RouteProxyDisconnect(x, node.ProxyDisconnect{
		Node: x.name, Proxy: s.self, SessionID: x.session, Reason: "noconnection",
	})
	x.link.Store(nil)
}

// digest is what ergo wants to see with a request for a proxy connection.
func (s *seat) digest(creation uint32) []byte {
	a := md5.Sum(binary.BigEndian.AppendUint32(nil, creation))
	b := md5.Sum(append(a[:], s.cookie...))
	c := md5.Sum(append(b[:], s.key...))
	return c[:]
}
