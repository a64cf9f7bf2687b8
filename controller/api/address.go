package api

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Address is where an API is: a unix socket, or TCP with or without TLS.
type Address struct {
	path string // of the socket; empty: TCP
	host string // of TCP: "10.0.0.7:8400"
	tls  bool
}

// ParseAddress reads "unix:PATH", "http://HOST:PORT" or "https://HOST:PORT".
func ParseAddress(s string) (Address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return Address{path: path}, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return Address{}, fmt.Errorf("API address %q: want unix:PATH, http://HOST:PORT or https://HOST:PORT", s)
	}
	if u.User != nil {
		return Address{}, errors.New("API address: want no user in it; the token comes from EHC_API_TOKEN or EHC_API_TOKEN_FILE")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || u.Hostname() == "" || port == 0 && u.Port() != "0" {
		return Address{}, fmt.Errorf("API address %q: want a host and a port, %s://HOST:PORT", s, u.Scheme)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Address{}, fmt.Errorf("API address %q: want nothing after the port", s)
	}
	return Address{host: u.Host, tls: u.Scheme == "https"}, nil
}

// SocketIn is the address of the controller whose data folder is dir.
func SocketIn(dir string) Address { return Address{path: filepath.Join(dir, "ehc.sock")} }

// TCP is the address at host and port.
func TCP(at netip.AddrPort, tls bool) Address { return Address{host: at.String(), tls: tls} }

// IsTCP says that whoever asks there needs a Token.
func (a Address) IsTCP() bool { return a.path == "" }

// IsTLS says that it is asked for by https.
func (a Address) IsTLS() bool { return a.tls }

// String is the address as ParseAddress reads it.
func (a Address) String() string {
	if !a.IsTCP() {
		return "unix:" + a.path
	}
	return a.scheme() + "://" + a.host
}

func (a Address) scheme() string {
	if a.tls {
		return "https"
	}
	return "http"
}

// maxConns bounds the connections that a listener holds: those of requests under
// way, and idle ones.
const maxConns = 8192

// Listen opens a unix socket with mode 0600, or listens on TCP, where what is
// served has to be Authorized. A socket that a dead controller left is replaced; one
// that answers, or a file that is no socket, is an error.
func (a Address) Listen() (net.Listener, error) {
	switch {
	case a.tls:
		return nil, fmt.Errorf("listen on %s: https needs a certificate", a)
	case a.IsTCP():
		return a.listenTCP()
	}
	return a.listenUnix()
}

// ListenTLS is Listen for https. certificate is asked for the certificate at each
// handshake.
func (a Address) ListenTLS(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) (net.Listener, error) {
	if !a.tls {
		return nil, fmt.Errorf("listen on %s: a certificate is for https", a)
	}
	l, err := a.listenTCP()
	if err != nil {
		return nil, err
	}
	// No HTTP/2: its streams share a connection's deadlines.
	return tls.NewListener(l, &tls.Config{
		GetCertificate: certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

func (a Address) listenTCP() (net.Listener, error) {
	l, err := net.Listen("tcp", a.host)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, err)
	}
	return Limited(l, maxConns), nil
}

// longestPath is how long the path of a socket may be, with a zero byte behind it.
const longestPath = len(syscall.RawSockaddrUnix{}.Path) - 1

func (a Address) listenUnix() (net.Listener, error) {
	if n := len(a.path); n > longestPath {
		return nil, fmt.Errorf("listen on %s: a path of %d bytes, and that of a socket has %d at most: give a shorter data folder, or -api unix:PATH", a, n, longestPath)
	}
	if err := a.clear(); err != nil {
		return nil, err
	}
	// The umask, not a later chmod: nobody may connect in between.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", a.path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, err)
	}
	return Limited(l, maxConns), nil
}

// clearLimit bounds how long it is waited for whoever listens on a socket that is there.
const clearLimit = 5 * time.Second

// clear removes a socket on which nobody listens any more.
func (a Address) clear() error {
	info, err := os.Lstat(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("listen on %s: there is a file that is not a socket", a)
	}
	c, err := net.DialTimeout("unix", a.path, clearLimit)
	switch {
	case err == nil:
		_ = c.Close()
		return fmt.Errorf("listen on %s: another controller answers there", a)
	case !errors.Is(err, syscall.ECONNREFUSED): // a busy one's, or somebody else's
		return fmt.Errorf("listen on %s: whether the socket that is there is in use: %w", a, err)
	}
	if err := os.Remove(a.path); err != nil {
		return fmt.Errorf("listen on %s: %w", a, err)
	}
	return nil
}
