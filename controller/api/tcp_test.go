package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func tokenFor(t *testing.T, secret string) Token {
	t.Helper()
	token, err := NewToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// anyPort is a free port of this machine's own.
func anyPort(tls bool) Address { return TCP(netip.MustParseAddrPort("127.0.0.1:0"), tls) }

func serveTCP(t *testing.T, h http.Handler) Address {
	t.Helper()
	l, err := anyPort(false).Listen()
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, h)
	return Address{host: l.Addr().String()}
}

// serveTLS also returns who signed the certificate.
func serveTLS(t *testing.T, h http.Handler) (Address, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	text, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := anyPort(true).ListenTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: [][]byte{text}, PrivateKey: key}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, h)
	parsed, err := x509.ParseCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return Address{host: l.Addr().String(), tls: true}, pool
}

func TestOverTCPOnlyWhoShowsTheTokenIsServed(t *testing.T) {
	const secret = "0123456789abcdef"
	token := tokenFor(t, secret)
	a := serveTCP(t, Authorized(Handler(fake{}, Options{}), token))
	for name, c := range map[string]struct {
		header, origin string
		status         int
	}{
		"the token":             {"Bearer " + secret, "", 200},
		"a small bearer":        {"bearer " + secret, "", 200},
		"nothing":               {"", "", 401},
		"another token":         {"Bearer 0123456789abcdeF", "", 401},
		"the token's beginning": {"Bearer 0123456789abcde", "", 401},
		"an empty token":        {"Bearer ", "", 401},
		"another scheme":        {"Basic " + secret, "", 401},
		"another site's page":   {"Bearer " + secret, "http://elsewhere", 403},
		"its own page":          {"Bearer " + secret, "http://" + a.host, 200},
	} {
		for _, path := range []string{"/v1/plan", "/v1/nothing"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.String()+path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			res, err := clientOf(t, a).http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var p Problem
			_ = json.NewDecoder(res.Body).Decode(&p)
			_ = res.Body.Close()
			want := c.status
			if want == 200 && path == "/v1/nothing" {
				want = 404
			}
			if res.StatusCode != want || want != 200 && (res.Header.Get("Content-Type") != problemType || p.Status != want) {
				t.Errorf("%s, %s: %s %+v, want %d", name, path, res.Status, p, want)
			}
			if strings.Contains(p.Detail, secret) {
				t.Errorf("%s: the token is shown: %s", name, p.Detail)
			}
		}
	}
	var none *Problem
	if _, err := clientOf(t, a).Status(t.Context()); !errors.Is(err, ErrUnauthorized) || !errors.As(err, &none) {
		t.Errorf("without a token: %v", err)
	}
	if got := Authorized(nil, Token{}); token.is("") || (Token{}).is("") || got == nil {
		t.Error("an empty token is shown")
	}
}

func TestNoTokenIsPrinted(t *testing.T) {
	const secret = "0123456789abcdef"
	token := tokenFor(t, secret)
	text, err := json.Marshal(map[string]Token{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	all := string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %d %v", token, token, token, token, token, token, token, struct{ T Token }{token}) +
		fmt.Sprintf("%+v", NewClient(anyPort(false), WithToken(token)).token)
	if strings.Contains(all, secret) || strings.Contains(all, fmt.Sprintf("%x", secret)) {
		t.Errorf("it is in %q", all)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", maxToken+1), "0123456789 abcdef", "0123456789abcdé"} {
		if _, err := NewToken(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("NewToken(%q): %v", bad, err)
		}
	}
}

func TestHTTPSNeedsACertificateThatTheClientTrusts(t *testing.T) {
	a, _ := serveTLS(t, Handler(fake{}, Options{}))
	var untrusted *tls.CertificateVerificationError
	if _, err := clientOf(t, a).Status(t.Context()); !errors.As(err, &untrusted) {
		t.Errorf("error = %v", err)
	}
	if l, err := anyPort(true).Listen(); err == nil {
		_ = l.Close()
		t.Error("https without a certificate")
	}
	if l, err := anyPort(false).ListenTLS(nil); err == nil {
		_ = l.Close()
		t.Error("a certificate for http")
	}
}

func TestAListenerHoldsOnlySoManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := Limited(inner, 1)
		accepted := make(chan net.Conn, 3)
		done := make(chan error, 1)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					done <- err
					return
				}
				accepted <- c
			}
		}()
		for range cap(accepted) {
			go func() { _ = inner.dial().Close() }()
		}
		for closed := range 2 {
			synctest.Wait()
			if n := len(accepted); n != 1 {
				t.Fatalf("%d connections beside the %d that were closed, want 1", n, closed)
			}
			c := <-accepted
			_ = c.Close()
			_ = c.Close() // gives nothing back twice
		}
		synctest.Wait()
		_ = l.Close() // while Accept waits
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("error = %v", err)
		}
	})
}
