package ergonode

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"ehc/transport"
)

// tlsExtra is how much longer we wait than a node without TLS does for the rest of
// what it takes our hello for: it closes before, and so we know what it is.
const tlsExtra = time.Second

// plainAlert is what TLS says, version 1.2, level fatal, to a peer that speaks
// something else: protocol_version.
//
//	type u8 | version u16 | length u16 | level u8 | alert u8
var plainAlert = [...]byte{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46}

// tlsConn is a TLS connection whose Close waits for nobody. The one of crypto/tls
// says goodbye first, for which it gives a peer that takes nothing five seconds.
type tlsConn struct{ *tls.Conn }

// Close closes the connection below.
func (c tlsConn) Close() error { return c.NetConn().Close() }

// secure puts TLS over a connection, if the node speaks it: to the node at host,
// or, if host is empty, with whoever has dialled us. It sets deadlines of its own.
// Closing raw ends it; it does not close raw itself.
func (n *Node) secure(raw net.Conn, host string) (net.Conn, error) {
	if n.o.TLS == nil {
		return raw, nil
	}
	id, err := n.o.TLS.current()
	if err != nil {
		n.o.Log.Warn("new TLS files not used: the ones before go on", "error", err)
	}
	over := &ear{Conn: raw}
	c := tls.Client(over, id.client(host))
	if host == "" {
		c = tls.Server(over, id.server())
	}
	_ = raw.SetDeadline(time.Now().Add(n.o.SetupTimeout + tlsExtra))
	err = c.Handshake()
	var header tls.RecordHeaderError
	switch {
	case err == nil:
		return tlsConn{c}, nil
	case host == "" && errors.As(err, &header):
		_, _ = raw.Write(plainAlert[:]) // it is refused, told so or not
	case host != "" && !over.heard && !late(err) && !errors.Is(err, net.ErrClosed):
		return nil, fmt.Errorf("%w: the peer does not speak TLS: it closed without a word of it", transport.ErrTLS)
	}
	return nil, refusal(err)
}

// ear knows whether the other end ever said anything. Only one goroutine reads.
type ear struct {
	net.Conn
	heard bool
}

func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	e.heard = e.heard || n > 0
	return n, err
}

func late(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// refusal names the cause of a TLS handshake that failed.
func refusal(err error) error {
	var header tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var elsewhere x509.HostnameError
	var op *net.OpError
	switch {
	case errors.Is(err, net.ErrClosed): // by us
		return err
	case late(err):
		return fmt.Errorf("%w: no answer in the TLS handshake", transport.ErrTimeout)
	case errors.As(err, &header):
		return fmt.Errorf("%w: the peer does not speak TLS", transport.ErrTLS)
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: the certificate of the peer is not signed by our CA", transport.ErrTLS)
	case errors.As(err, &invalid):
		return fmt.Errorf("%w: the certificate of the peer does not hold: %w", transport.ErrTLS, invalid)
	case errors.As(err, &elsewhere):
		return fmt.Errorf("%w: the certificate of the peer is for another host: %w", transport.ErrTLS, elsewhere)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &op) && (op.Op == "read" || op.Op == "write"):
		return fmt.Errorf("%w: closed in the TLS handshake: %w", transport.ErrUnreachable, err)
	}
	return alerted(fmt.Errorf("%w: %w", transport.ErrTLS, err))
}

// alerted says what the alert of a peer means, if err is one. A server of TLS 1.3
// looks at our certificate only after our end of the handshake, so that its alert
// comes in that of the distribution.
func alerted(err error) error {
	var op *net.OpError
	if !errors.Is(err, transport.ErrTLS) || !errors.As(err, &op) || op.Op != "remote error" {
		return err
	}
	means := "the peer refused"
	switch text := op.Err.Error(); { // crypto/tls exports no numbers
	case strings.Contains(text, "certificate"):
		means = "the peer refused our certificate"
	case strings.Contains(text, "handshake failure"):
		means = "the peer refused our certificate, its names as a rule, or our ciphers"
	}
	return fmt.Errorf("%w: %s: %w", transport.ErrTLS, means, op.Err)
}
