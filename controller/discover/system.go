package discover

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// systemPath is where the system names its servers.
const systemPath = "/etc/resolv.conf"

// maxSystem bounds how much of that file is read, in bytes.
const maxSystem = 64 << 10

// system is the name servers of the system's resolver configuration, read
// again only when the file has changed. Its search list and ndots count for
// nothing: a query means the name that it says. It is safe for concurrent use.
type system struct {
	path string // empty: systemPath

	mu      sync.Mutex
	size    int64
	changed time.Time
	servers []netip.AddrPort
}

// nameservers returns the servers in the order of the file, at least one. The
// caller must not change the list.
func (s *system) nameservers() ([]netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.path
	if path == "" {
		path = systemPath
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("find the system's name servers: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("find the system's name servers: %w", err)
	}
	if s.servers != nil && s.same(info) {
		return s.servers, nil
	}
	servers, err := readServers(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("read %s: no name server in it", path)
	}
	s.size, s.changed, s.servers = info.Size(), info.ModTime(), servers
	return servers, nil
}

func (s *system) same(info fs.FileInfo) bool {
	return info.Size() == s.size && info.ModTime().Equal(s.changed)
}

// readServers picks the servers out of a resolv.conf. An address that cannot be
// read is left out, as other resolvers do.
func readServers(r io.Reader) ([]netip.AddrPort, error) {
	conf, err := dns.ClientConfigFromReader(io.LimitReader(r, maxSystem))
	if err != nil {
		return nil, err
	}
	var servers []netip.AddrPort
	for _, text := range conf.Servers {
		server, err := netip.ParseAddrPort(net.JoinHostPort(text, conf.Port))
		if err == nil {
			servers = append(servers, server)
		}
	}
	return servers, nil
}

// SystemServers are the name servers of the system's configuration, which are asked
// when cluster.hcl names none. There is one at least, or an error.
func SystemServers() ([]netip.AddrPort, error) { return new(system).nameservers() }
