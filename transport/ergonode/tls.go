package ergonode

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
)

// maxPEM is the longest certificate or key file that is read, in bytes.
const maxPEM = 1 << 20

// TLS is what a node speaks TLS with, as OTP's inet_tls_dist does: a certificate
// with its key, and the CAs that have to have signed the certificates of all peers,
// of those that we dial and of those that dial us.
//
// Its files are read again at each handshake, so that new ones count without a
// restart; connections that are up stay as they are. A set of files that does not
// fit together, as while it is being replaced, is passed over: the last good one
// goes on. It is safe for concurrent use.
//
// A node that speaks TLS 1.2, as OTP 25 to 27 do, wants to renegotiate a connection
// after 2^28 records of its own. On those that we have dialled it can. crypto/tls
// knows nothing of it where a peer has dialled us: such a link ends then, like any
// that breaks, and is made anew.
type TLS struct {
	files [3]string // certificate, key, CAs

	mu   sync.Mutex
	good identity
	used [sha256.Size]byte // digest of the files that good was made of
	bad  [sha256.Size]byte // and of those that were last complained of
}

// LoadTLS reads PEM files: our certificate with any intermediate ones after it, its
// key, and the certificates of the CAs. The certificate must be good for servers
// and for clients, and name the host part of our node's name; OTP 25 wants an
// address among the DNS names too. Files of more than 1 MiB are refused.
func LoadTLS(certFile, keyFile, caFile string) (*TLS, error) {
	t := &TLS{files: [...]string{certFile, keyFile, caFile}}
	if _, err := t.current(); err != nil {
		return nil, fmt.Errorf("load TLS: %w", err)
	}
	return t, nil
}

// identity is what one set of files says.
type identity struct {
	certificate tls.Certificate
	cas         *x509.CertPool
}

// current is the identity to use now. With an error, which comes once for each bad
// set of files, it is the last good one.
func (t *TLS) current() (identity, error) {
	var pem [len(t.files)][]byte
	var unread error
	sum := sha256.New()
	for i, name := range t.files {
		b, err := readPEM(name)
		if err != nil && unread == nil {
			unread = err
		}
		pem[i] = b
		_, _ = fmt.Fprintln(sum, len(b), err)
		_, _ = sum.Write(b)
	}
	digest := [sha256.Size]byte(sum.Sum(nil))
	t.mu.Lock()
	defer t.mu.Unlock()
	if digest == t.used || digest == t.bad {
		return t.good, nil
	}
	id, err := identity{}, unread
	if err == nil {
		id, err = t.parse(pem[0], pem[1], pem[2])
	}
	if err != nil {
		t.bad = digest
		return t.good, err
	}
	t.good, t.used = id, digest
	return id, nil
}

func readPEM(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(b) > maxPEM {
		err = fmt.Errorf("%s has more than %d bytes", name, maxPEM)
	}
	return b, err
}

func (t *TLS) parse(cert, key, cas []byte) (identity, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return identity{}, fmt.Errorf("%s with %s: %w", t.files[0], t.files[1], err)
	}
	id := identity{certificate: pair, cas: x509.NewCertPool()}
	if !id.cas.AppendCertsFromPEM(cas) {
		return identity{}, fmt.Errorf("%s: no certificate in it", t.files[2])
	}
	return id, nil
}

// client is for a connection to a node at this host, the one in the node's name.
func (id identity) client(host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, // OTP 25 and 27 have no later one as shipped
		ServerName: host,
		// See TLS. verify is asked each time.
		Renegotiation: tls.RenegotiateFreelyAsClient,
		// Ours, even if the peer does not say that it knows our CA: a peer that then
		// refuses it names the cause better than one that was shown none.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &id.certificate, nil
		},
		InsecureSkipVerify: true, // verify does it: see there
		VerifyConnection:   func(s tls.ConnectionState) error { return id.verify(host, s) },
	}
}

// server is for a connection from a node, of which we know no name yet.
func (id identity) server() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{id.certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    id.cas,
		// A ticket would let a peer in by a certificate that was checked long ago.
		SessionTicketsDisabled: true,
	}
}

// verify does what crypto/tls does by itself, except that a certificate may name an
// address as the text of a DNS name, as those made for OTP 25 do.
func (id identity) verify(host string, s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the peer shows no certificate")
	}
	leaf, rest := s.PeerCertificates[0], x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		rest.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: id.cas, Intermediates: rest, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	return names(leaf, host)
}

// names returns nil if a certificate is for this host.
func names(c *x509.Certificate, host string) error {
	err := c.VerifyHostname(host)
	if err == nil {
		return nil
	}
	if addr, notOne := netip.ParseAddr(host); notOne == nil {
		for _, name := range c.DNSNames {
			if same, notOne := netip.ParseAddr(name); notOne == nil && same == addr {
				return nil
			}
		}
	}
	return err
}
