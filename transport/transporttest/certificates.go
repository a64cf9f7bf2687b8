package transporttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Authority is a CA of a test's own.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// TLSFiles are PEM files to speak TLS with: a certificate, its key, and the CA
// whose certificates are to be trusted.
type TLSFiles struct{ Cert, Key, CA string }

// NewAuthority makes a CA with a key on P-256.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "CA of " + t.Name()}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
	return a
}

// sign completes a certificate and signs it; one of a CA signs itself.
func (a *Authority) sign(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		a.t.Fatal(err)
	}
	c.NotBefore = time.Now().Add(-time.Hour)
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(24 * time.Hour)
	}
	parent, signer := a.cert, a.key
	if c.IsCA {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		a.t.Fatal(err)
	}
	return c, key
}

// Issue writes files with a certificate for these hosts into a new folder. An
// address becomes an IP SAN and, as OTP 25 needs it, a DNS SAN too.
func (a *Authority) Issue(hosts ...string) TLSFiles {
	c := &x509.Certificate{DNSNames: hosts}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		}
	}
	return a.IssueFrom(c)
}

// IssueFrom is Issue with the names and whatever else is not usual in c.
func (a *Authority) IssueFrom(c *x509.Certificate) TLSFiles {
	a.t.Helper()
	c.Subject = pkix.Name{CommonName: "node"}
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	cert, key := a.sign(c)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			a.t.Fatal(err)
		}
		return path
	}
	return TLSFiles{
		Cert: write("cert.pem", "CERTIFICATE", cert.Raw),
		Key:  write("key.pem", "PRIVATE KEY", pkcs8),
		CA:   write("ca.pem", "CERTIFICATE", a.cert.Raw),
	}
}

// Trusting is f, except that the certificates of a are trusted.
func (f TLSFiles) Trusting(a *Authority) TLSFiles {
	f.CA = a.Issue().CA
	return f
}

// Arguments are those of an Erlang node that speaks TLS with these files and
// verifies its peers in both directions. proto is inet_tls or inet6_tls; options are
// further ones of Erlang's ssl.
func (f TLSFiles) Arguments(t testing.TB, proto string, options ...string) []string {
	t.Helper()
	files := fmt.Sprintf("{certfile, %q}, {keyfile, %q}, {cacertfile, %q}, {verify, verify_peer}", f.Cert, f.Key, f.CA)
	files = strings.Join(append([]string{files}, options...), ", ")
	path := filepath.Join(t.TempDir(), "tls.config")
	text := fmt.Sprintf("[{server, [%s, {fail_if_no_peer_cert, true}]}, {client, [%s]}].\n", files, files)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-proto_dist", proto, "-ssl_dist_optfile", path}
}
