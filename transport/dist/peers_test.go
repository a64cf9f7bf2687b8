package dist

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ehc/transport"
)

// What peers say that Dial has to tell apart. A script ends with a close.
func TestDialNamesTheCause(t *testing.T) {
	reply := otpSays[:5+0x20] // up to our digest
	tests := map[string]struct {
		says string
		want error
		text string
	}{
		"closes without a word":                    {"", transport.ErrUnreachable, ""},
		"closes inside the status":                 {"\x00\x03so", transport.ErrUnreachable, ""},
		"closes after the status":                  {"\x00\x03sok", transport.ErrUnreachable, ""},
		"closes after our digest":                  {string(reply), transport.ErrCookie, ""},
		"closes inside its digest":                 {string(reply) + "\x00\x11a", transport.ErrCookie, ""},
		"has another digest":                       {string(reply) + "\x00\x11a0123456789abcdef", transport.ErrCookie, "wrong"},
		"has a short digest":                       {string(reply) + "\x00\x05a0123", transport.ErrCookie, "wrong"},
		"refuses the flags":                        {"\x00\x0csnot_allowed", transport.ErrFlags, "not_allowed"},
		"says nok":                                 {"\x00\x04snok", transport.ErrYielded, ""},
		"says alive, and we keep that":             {"\x00\x06salive", transport.ErrYielded, "a connection that is up"},
		"has a status that nobody knows":           {"\x00\x06smaybe", transport.ErrProtocol, "maybe"},
		"gives us a name that we have not asked":   {"\x00\x0dsnamed:\x00\x00\x00\x00\x00\x00", transport.ErrProtocol, "named"},
		"sends a message out of turn":              {string(otpSays[5:]), transport.ErrProtocol, "'N'"},
		"sends a short challenge":                  {"\x00\x03sok\x00\x05N1234", transport.ErrProtocol, ""},
		"sends a challenge with half a name":       {"\x00\x03sok" + "\x00\x14N12345678" + "abcd" + "efgh" + "\x00\x09x", transport.ErrProtocol, ""},
		"sends a message without bytes":            {"\x00\x00", transport.ErrProtocol, "0 bytes"},
		"sends a message without end":              {"\x04\x01s", transport.ErrProtocol, "1025 bytes"},
		"speaks SSH":                               {"SSH-2.0-OpenSSH_9.2\r\n", transport.ErrProtocol, ""},
		"speaks HTTP":                              {"HTTP/1.1 400 Bad Request\r\n\r\n", transport.ErrProtocol, ""},
		"answers with an alert of TLS":             {"\x15\x03\x03\x00\x02\x02\x46", transport.ErrTLS, "TLS"},
		"has the wanted name and more, with flags": {string(otpSays[:5]) + "\x00\x22" + string(otpSays[7:5+0x20]) + "more" + "\x00\x05a0123", transport.ErrCookie, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			peer := &script{Reader: strings.NewReader(tt.says)}
			_, err := Dial(peer, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc, Keep: func() bool { return true }})
			wantErr(t, "dial", err, tt.want)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v does not say %q", err, tt.text)
			}
			if n := causes(err); n != 1 {
				t.Errorf("error %v wraps %d causes", err, n)
			}
		})
	}
}

// causes counts how many of transport's causes an error wraps.
func causes(err error) (n int) {
	for _, c := range []error{
		transport.ErrUnreachable, transport.ErrNotListed, transport.ErrCookie, transport.ErrFlags, transport.ErrName,
		transport.ErrTimeout, transport.ErrYielded, transport.ErrProtocol, transport.ErrTLS,
	} {
		if errors.Is(err, c) {
			n++
		}
	}
	return n
}

func TestAcceptNamesTheCause(t *testing.T) {
	name := string(goSays[:2+0x1b])
	named := func(n string) string {
		b := hello{node: Node{Name: n, Flags: goNode.Flags}}.appendName([]byte{0, byte(15 + len(n)), tagName})
		return string(b)
	}
	tests := map[string]struct {
		says     string
		decision Decision
		want     error
		told     string // what the peer hears first
	}{
		"closes without a word":                {"", OK, transport.ErrUnreachable, ""},
		"sends the name of OTP 22":             {"\x00\x0an\x00\x05\x00\x00\x00\x00a@b", OK, transport.ErrProtocol, ""},
		"speaks TLS":                           {"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", OK, transport.ErrTLS, ""},
		"sends garbage":                        {"GET / HTTP/1.1\r\n\r\n", OK, transport.ErrProtocol, ""},
		"sends half a name message":            {"\x00\x03Nab", OK, transport.ErrProtocol, ""},
		"sends a name without an @":            {named("go"), OK, transport.ErrName, "\x00\x04snok"},
		"sends only its host, to be named":     {named("127.0.0.1"), OK, transport.ErrName, "\x00\x04snok"},
		"sends a name with a newline":          {named("a\n@b"), OK, transport.ErrName, "\x00\x04snok"},
		"closes after the status":              {name, OK, transport.ErrUnreachable, "\x00\x03sok"},
		"keeps its connection":                 {name + "\x00\x06sfalse", Alive, ErrStays, "\x00\x06salive"},
		"closes when it should say which":      {name, Alive, transport.ErrUnreachable, "\x00\x06salive"},
		"sends a short reply":                  {name + "\x00\x05r1234", OK, transport.ErrProtocol, "\x00\x03sok"},
		"sends a wrong digest":                 {name + "\x00\x15r1234" + "0123456789abcdef", OK, transport.ErrCookie, "\x00\x03sok"},
		"sends a name of two hundred and more": {"\x04\x00N" + strings.Repeat("x", 1023), OK, transport.ErrProtocol, ""},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			peer := &script{Reader: strings.NewReader(tt.says)}
			_, _, err := Accept(peer, AcceptOptions{Local: otpNode, Cookies: cookies(abc), Decide: always(tt.decision)})
			wantErr(t, "accept", err, tt.want)
			if !bytes.HasPrefix(peer.Bytes(), []byte(tt.told)) || (tt.told == "" && peer.Len() > 0) {
				t.Errorf("told %q, want %q", peer.Bytes(), tt.told)
			}
			if bytes.Contains(peer.Bytes(), []byte("\x00\x11a")) {
				t.Errorf("acknowledged in %q", peer.Bytes())
			}
		})
	}
}

func TestDeadlinesAreTimeouts(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	_, _ = near.SetDeadline(time.Unix(1, 0)), far.SetDeadline(time.Unix(1, 0))
	_, err := Dial(near, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc})
	wantErr(t, "dial", err, transport.ErrTimeout)
	_, _, err = Accept(far, AcceptOptions{Local: otpNode, Cookies: cookies(abc)})
	wantErr(t, "accept", err, transport.ErrTimeout)
}

// tcp returns the two ends of a connection.
func tcp(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	limit := time.Now().Add(5 * time.Minute)
	_, _ = a.SetDeadline(limit), b.SetDeadline(limit)
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func TestResetAfterOurDigestIsACookieRejected(t *testing.T) {
	near, far := tcp(t)
	go func() {
		_, _ = far.Write(otpSays[:5+0x20])
		_, _ = io.ReadFull(far, make([]byte, 2+0x1b+2)) // the reply has come, and stays unread
		_ = far.SetLinger(0)
		far.Close()
	}()
	_, err := Dial(near, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc})
	wantErr(t, "dial", err, transport.ErrCookie)
}

func TestClosingOneselfHasNoCause(t *testing.T) {
	near, far := tcp(t)
	_, _ = far.Write(otpSays[:5+0x20])
	go func() {
		_, _ = io.ReadFull(far, make([]byte, len(goSays)))
		near.Close()
	}()
	_, err := Dial(near, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc})
	wantErr(t, "dial", err, net.ErrClosed)
	if causes(err) != 0 {
		t.Errorf("error %v", err)
	}
}

// certificate borrows the one that net/http/httptest has.
func certificate(t *testing.T) *tls.Config {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

func TestHandshakeOverTLS(t *testing.T) {
	near, far := tcp(t)
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true}) // the test's own peer
	server := tls.Server(far, certificate(t))
	accepted := make(chan error, 1)
	go func() {
		_, _, err := Accept(server, AcceptOptions{Local: otpNode, Cookies: cookies(abc), Wide: true})
		accepted <- err
	}()
	_, err := Dial(client, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc, Wide: true})
	if err := errors.Join(err, <-accepted); err != nil {
		t.Error(err)
	}
}

// With TLS 1.3 the client hears only in the handshake of the distribution that the
// server wants a certificate.
func TestMissingClientCertificateIsTLSRefused(t *testing.T) {
	near, far := tcp(t)
	config := certificate(t)
	config.ClientAuth = tls.RequireAnyClientCert
	go func() { _ = tls.Server(far, config).Handshake() }()
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	_, err := Dial(client, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc, Wide: true})
	wantErr(t, "dial", err, transport.ErrTLS)
}
