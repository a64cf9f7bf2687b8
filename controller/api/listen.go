package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Address is where an API is: a unix socket.
type Address struct {
	path string
}

// ParseAddress reads "unix:PATH".
func ParseAddress(s string) (Address, error) {
	path, ok := strings.CutPrefix(s, "unix:")
	if !ok || path == "" {
		if u, err := url.Parse(s); err == nil && u.Scheme == "http" {
			return Address{}, fmt.Errorf("API address %q: only unix:PATH is served so far", s)
		}
		return Address{}, fmt.Errorf("API address %q: want unix:PATH", s)
	}
	return Address{path: path}, nil
}

// SocketIn is the address of the controller whose data folder is dir.
func SocketIn(dir string) Address { return Address{path: filepath.Join(dir, "ehc.sock")} }

// String is the address as ParseAddress reads it.
func (a Address) String() string { return "unix:" + a.path }

// Listen opens the socket with mode 0600. A socket that a dead controller left
// is replaced; one that answers, or a file that is no socket, is an error.
func (a Address) Listen() (net.Listener, error) {
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
	return l, nil
}

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
	if c, err := net.Dial("unix", a.path); err == nil {
		_ = c.Close()
		return fmt.Errorf("listen on %s: another controller answers there", a)
	}
	if err := os.Remove(a.path); err != nil {
		return fmt.Errorf("listen on %s: %w", a, err)
	}
	return nil
}
