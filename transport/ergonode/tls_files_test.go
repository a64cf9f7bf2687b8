package ergonode_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest"
)

// config is what a peer that is no Erlang node speaks TLS with.
func config(t testing.TB, f transporttest.TLSFiles) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		t.Fatal(err)
	}
	cas := x509.NewCertPool()
	cas.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: cas, ClientCAs: cas, ClientAuth: tls.RequireAndVerifyClientCert,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
}

// shake does the TLS handshake with a node and returns the certificate that it shows.
func shake(t testing.TB, n *ergonode.Node, c *tls.Config) (*x509.Certificate, error) {
	t.Helper()
	raw, err := net.Dial("tcp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(patience))
	c.ServerName = "127.0.0.1"
	nc := tls.Client(raw, c)
	if err := nc.Handshake(); err != nil {
		return nil, err
	}
	return nc.ConnectionState().PeerCertificates[0], nil
}

func replaceFile(t testing.TB, path, with string) {
	t.Helper()
	b, err := os.ReadFile(with)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNewTLSFilesCountWithoutARestart(t *testing.T) {
	old, renewed := transporttest.NewAuthority(t), transporttest.NewAuthority(t)
	ours, later := old.Issue("127.0.0.1"), renewed.Issue("127.0.0.1")
	var log lines
	n := alone(t, func(o *ergonode.Options) {
		log = logging(o)
		o.TLS = load(t, ours)
	})
	first, err := shake(t, n, config(t, old.Issue("127.0.0.1")))
	if err != nil {
		t.Fatal(err)
	}

	replaceFile(t, ours.Cert, later.Cert) // half of the way: the key is another one's
	for range 2 {
		now, err := shake(t, n, config(t, old.Issue("127.0.0.1")))
		if err != nil || !now.Equal(first) {
			t.Errorf("with files that do not fit together: %v", err)
		}
	}
	if line := log.next(t, "new TLS files not used"); !strings.Contains(line, "private key does not match") {
		t.Errorf("we log %s", line)
	}

	replaceFile(t, ours.Key, later.Key)
	replaceFile(t, ours.CA, later.CA)
	now, err := shake(t, n, config(t, renewed.Issue("127.0.0.1")))
	if err != nil || now.Equal(first) {
		t.Errorf("with new files: %v", err)
	}
	if _, err := shake(t, n, config(t, old.Issue("127.0.0.1").Trusting(renewed))); err != nil {
		t.Fatal(err) // a client of TLS 1.3 hears of it later
	}
	log.next(t, "the certificate of the peer is not signed by our CA")
	if rest := drained(log); strings.Contains(rest, "new TLS files not used") {
		t.Errorf("the same files are complained of twice:\n%s", rest)
	}
}

func drained(l lines) string {
	var all strings.Builder
	for {
		select {
		case line := <-l:
			all.WriteString(line)
		default:
			return all.String()
		}
	}
}

func TestForWhichHostACertificateIs(t *testing.T) {
	ca := transporttest.NewAuthority(t)
	n := alone(t, func(o *ergonode.Options) { o.TLS = load(t, ca.Issue("127.0.0.1")) })
	address := []net.IP{net.IPv4(127, 0, 0, 1)}
	for name, c := range map[string]struct {
		node  string
		names x509.Certificate
		want  string // empty: it is for that host
	}{
		"an address among the addresses":      {"a@127.0.0.1", x509.Certificate{IPAddresses: address}, ""},
		"an address among the DNS names":      {"a@127.0.0.1", x509.Certificate{DNSNames: []string{"127.0.0.1"}}, ""},
		"one of IPv6 written in another way":  {"a@fdaa:0:1::7", x509.Certificate{DNSNames: []string{"fdaa:0:1:0:0:0:0:7"}}, ""},
		"a name":                              {"a@a.internal", x509.Certificate{DNSNames: []string{"a.internal"}}, ""},
		"a name by a wildcard":                {"a@a.internal", x509.Certificate{DNSNames: []string{"*.internal"}}, ""},
		"another address":                     {"a@127.0.0.2", x509.Certificate{IPAddresses: address}, "for another host"},
		"an address is not that of a name":    {"a@a.internal", x509.Certificate{IPAddresses: address}, "for another host"},
		"no names at all":                     {"a@127.0.0.1", x509.Certificate{}, "for another host"},
		"the right one in one that has ended": {"a@127.0.0.1", x509.Certificate{IPAddresses: address, NotAfter: time.Now().Add(-time.Minute)}, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			l, port := listener(t)
			peer := ca.IssueFrom(&c.names)
			go func() {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				_ = nc.SetDeadline(time.Now().Add(patience))
				server := tls.Server(nc, config(t, peer))
				if server.Handshake() == nil {
					_, _ = server.Write([]byte("\x00\x00\x00\x0cs" + "not_allowed"))
					_, _ = server.Read(make([]byte, 1024)) // the name
				}
			}()
			_, err := n.Dial(within(t), transport.Target{Node: c.node, Addr: loopback, Port: port})
			switch {
			case c.want == "" && !errors.Is(err, transport.ErrFlags): // what our peer says after TLS
				t.Errorf("the dial: %v", err)
			case c.want != "" && (!errors.Is(err, transport.ErrTLS) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the dial: %v; want %q", err, c.want)
			}
		})
	}
}

func TestPeersThatDoNotSpeakTLS(t *testing.T) {
	ca := transporttest.NewAuthority(t)
	n := alone(t, func(o *ergonode.Options) { o.TLS = load(t, ca.Issue("127.0.0.1")) })
	if _, err := knock(t, n, "a@127.0.0.1", cookie); !errors.Is(err, transport.ErrTLS) {
		t.Errorf("a plain peer is told %v", err)
	}
	for name, c := range map[string]struct {
		says string
		want error
	}{
		"answers with something else":   {"HTTP/1.0 400 Bad Request\r\n\r\n", transport.ErrTLS},
		"closes without a word":         {"", transport.ErrTLS},
		"closes in the middle of hello": {"\x16\x03\x03\x00\x40\x02", transport.ErrUnreachable},
	} {
		l, port := listener(t)
		go func() {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, _ = nc.Read(make([]byte, 4096))
			_, _ = nc.Write([]byte(c.says))
		}()
		_, err := n.Dial(within(t), transport.Target{Node: "b@127.0.0.1", Addr: loopback, Port: port})
		if !errors.Is(err, c.want) {
			t.Errorf("a peer that %s: %v", name, err)
		}
	}
}

func TestFilesThatAreNoTLSFiles(t *testing.T) {
	ca := transporttest.NewAuthority(t)
	f, g := ca.Issue("127.0.0.1"), ca.Issue("127.0.0.1")
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files [3]string
		want  string
	}{
		"one that is not there":       {[3]string{f.Cert + "x", f.Key, f.CA}, f.Cert + "x"},
		"one that is too long":        {[3]string{f.Cert, f.Key, long}, "more than 1048576 bytes"},
		"a key of another":            {[3]string{f.Cert, g.Key, f.CA}, "does not match"},
		"a key in place of CAs":       {[3]string{f.Cert, f.Key, g.Key}, "no certificate in it"},
		"certificate and key swapped": {[3]string{f.Key, f.Cert, f.CA}, f.Key},
	} {
		_, err := ergonode.LoadTLS(c.files[0], c.files[1], c.files[2])
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
