package discover

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSystemNameServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	s := &system{path: path}
	if _, err := s.nameservers(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without the file: %v, want %v", err, fs.ErrNotExist)
	}
	expect := func(content string, want ...string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.nameservers()
		if (err != nil) != (len(want) == 0) {
			t.Fatal(err)
		}
		var servers []netip.AddrPort
		for _, text := range want {
			servers = append(servers, netip.MustParseAddrPort(text))
		}
		if diff := cmp.Diff(servers, got, cmpopts.EquateComparable(netip.AddrPort{}), cmpopts.EquateEmpty()); diff != "" {
			t.Error("servers (-want +got):", diff)
		}
	}
	expect("# none\nsearch example.org\n")
	expect("nameserver fdaa::3\nsearch example.org\noptions ndots:5\n", "[fdaa::3]:53")
	expect("nameserver not-an-address\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\n", "10.0.0.53:53", "[fe80::1%eth0]:53")

	// It goes by size and time, so a file that has neither changed is not read.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), int(info.Size())), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.nameservers(); err != nil || len(got) != 2 {
		t.Errorf("read again without a change: %v, error %v", got, err)
	}
}

func TestResolverAsksTheSystemsServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("nameserver 192.0.2.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{system: &system{path: path}}
	got, err := r.servers()
	if err != nil || len(got) != 1 || got[0] != netip.MustParseAddrPort("192.0.2.1:53") {
		t.Fatalf("servers %v, error %v", got, err)
	}
}
