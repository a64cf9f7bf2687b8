package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ehc/controller/discover"
	"ehc/state"
	"ehc/state/disk"
)

const (
	strongLength = 20 // characters; mix release makes 56, ehc cookie, too
	strongKinds  = 10 // different ones
	leastRoom    = 256 << 20
	expiresSoon  = 14 * 24 * time.Hour
)

// self examines ehc's own end.
func (e *examination) self(ctx context.Context) {
	e.cookies()
	e.name(ctx)
	if e.Spec.Node.Hidden {
		e.add(Finding{Level: OK, Check: Visibility, Message: "ehc is hidden: it is in no peer's nodes(), and in nodes(hidden)"})
	} else {
		e.add(Finding{Level: Warning, Check: Visibility, Message: "ehc is visible: global:sync/0 hangs on its peers", Fix: "node { visible = false }"})
	}
	e.tls()
	e.data()
	e.ownEPMD(ctx)
}

// cookies examines the node's, and those of apps that have their own.
func (e *examination) cookies() {
	e.cookie("", e.Spec.Node.Cookies)
	for _, a := range e.Spec.Apps {
		if len(a.Cookies) > 0 {
			e.cookie(a.Name, a.Cookies)
		}
	}
}

func (e *examination) cookie(app string, secrets []state.Secret) {
	f := Finding{Level: OK, Check: Cookie, App: app, Message: "set, and strong"}
	if len(secrets) > 1 {
		f.Message = fmt.Sprintf("%d are set, and strong: ehc offers the first and accepts all", len(secrets))
	}
	for _, s := range secrets {
		text := s.Reveal()
		kinds := map[rune]bool{}
		for _, r := range text {
			kinds[r] = true
		}
		switch {
		case len(text) < strongLength, len(kinds) < strongKinds:
			f.Message = fmt.Sprintf("it can be guessed: want %d characters or more, %d of them different; who knows it runs any code on every node", strongLength, strongKinds)
		case strings.ContainsAny(text[:1], "-+"):
			f.Message = "it begins with a minus or a plus sign: erl -setcookie and elixir --cookie take it for a flag, and use another cookie"
		default:
			continue
		}
		f.Level = Warning
		f.Fix = `RELEASE_COOKIE="$(ehc cookie)", the same on both sides`
		if e.onFly() {
			f.Fix = `fly secrets set RELEASE_COOKIE="$(ehc cookie)", on every app with the same value`
		}
	}
	e.add(f)
}

// name examines whether peers can reach the host in ehc's name.
func (e *examination) name(ctx context.Context) {
	host := e.Spec.Node.Name.Host()
	f := Finding{Check: NodeName, Level: OK}
	addrs, err := hostAddrs(ctx, host)
	own := ownAddrs()
	switch {
	case err != nil:
		f.Level, f.Message = Failure, fmt.Sprintf("%s: its host does not resolve: %v", e.Spec.Node.Name, err)
		f.Fix = `node { name = "ehc@${env("FLY_PRIVATE_IP", "127.0.0.1")}" }: an address of this machine`
	case !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return slices.Contains(own, a) || a.IsLoopback() }):
		f.Level = Failure
		f.Message = fmt.Sprintf("%s: %s is no address of this machine, so no peer can dial back", e.Spec.Node.Name, addrs[0])
		f.Fix = `node { name = "ehc@${env("FLY_PRIVATE_IP")}" }`
		if len(own) > 0 {
			f.Fix = fmt.Sprintf("node { name = \"ehc@%s\" }", own[0])
		}
	case addrs[0].IsLoopback() && e.onFly():
		f.Level, f.Message = Failure, fmt.Sprintf("%s: on Fly no peer reaches a loopback address", e.Spec.Node.Name)
		f.Fix = `node { name = "ehc@${env("FLY_PRIVATE_IP")}" }`
	default:
		f.Message = fmt.Sprintf("%s: %s is this machine", e.Spec.Node.Name, addrs[0])
	}
	e.add(f)
}

func hostAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// ownAddrs are the addresses of this machine that others may reach; none if they
// cannot be read.
func ownAddrs() []netip.Addr {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var own []netip.Addr
	for _, n := range nets {
		if p, err := netip.ParsePrefix(n.String()); err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			own = append(own, p.Addr().Unmap())
		}
	}
	return own
}

func (e *examination) tls() {
	files := e.Spec.Node.TLS
	if files == (state.TLSSpec{}) {
		e.add(Finding{Level: OK, Check: TLS, Message: "not used: links are plain TCP, which is as private as the network"})
		return
	}
	f := Finding{Level: Failure, Check: TLS, Fix: "node { tls { cert_file key_file ca_file } }: PEM files that this machine can read"}
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		f.Message = err.Error()
		e.add(f)
		return
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err == nil {
		err = checkCertificate(leaf, pair.Certificate[1:], files.CAFile, e.Spec.Node.Name.Host(), e.Now())
	}
	switch {
	case err != nil:
		f.Message = fmt.Sprintf("%s: %v", files.CertFile, err)
	case leaf.NotAfter.Sub(e.Now()) < expiresSoon:
		f.Level, f.Message = Warning, fmt.Sprintf("%s expires at %s", files.CertFile, leaf.NotAfter.UTC().Format(time.RFC3339))
		f.Fix = "put a new certificate in its place: it counts without a restart"
	default:
		f.Level, f.Fix = OK, ""
		f.Message = fmt.Sprintf("%s is good until %s", files.CertFile, leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	e.add(f)
}

// checkCertificate says why a peer would refuse our certificate, with the others that
// come after it in its file.
func checkCertificate(leaf *x509.Certificate, others [][]byte, caFile, host string, now time.Time) error {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	cas := x509.NewCertPool()
	if !cas.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s has no certificate in it", caFile)
	}
	between := x509.NewCertPool()
	for _, der := range others {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: cas, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	if !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return errors.New("it is not good for clients (extended key usage): every node that we dial refuses it")
	}
	if slices.Contains(leaf.DNSNames, host) {
		return nil // OTP 25 wants an address there as text
	}
	return leaf.VerifyHostname(host)
}

func (e *examination) data() {
	if e.DataDir == "" {
		return
	}
	f := Finding{Check: DataFolder, Level: OK}
	there := existing(e.DataDir)
	free, err := disk.FreeRoom(there)
	full, _ := disk.IsFull(there)
	switch {
	case err != nil:
		f.Level, f.Message, f.Fix = Failure, err.Error(), "mkdir -p "+e.DataDir+", for ehc's user"
	case e.onFly() && disk.IsOnRoot(there):
		f.Level = Failure
		f.Message = fmt.Sprintf("%s is not on a volume: Fly empties it with every deploy, and what waits in the outbox is lost", e.DataDir)
		f.Fix = `fly volumes create ehc_data, and in fly.toml [[mounts]] source = "ehc_data" destination = "` + e.DataDir + `"`
	case full:
		f.Level, f.Message = Failure, fmt.Sprintf("%s is full, with %d MiB free: new events are refused", e.DataDir, free>>20)
		f.Fix = "make room on that volume, or extend it (fly volumes extend): ehc takes events again at once"
	case free < leastRoom:
		f.Level, f.Message = Warning, fmt.Sprintf("%s has %d MiB free", e.DataDir, free>>20)
		f.Fix = "a larger volume (fly volumes extend), or a smaller outbox { max_bytes }"
	default:
		f.Message = fmt.Sprintf("%s has %d MiB free", e.DataDir, free>>20)
	}
	if there != e.DataDir && f.Level == OK {
		f.Message += "; ehc run makes it"
	}
	e.add(f)
}

// existing is a folder, or the nearest one above it that is there.
func existing(dir string) string {
	for {
		_, err := os.Stat(dir)
		above := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || above == dir {
			return dir
		}
		dir = above
	}
}

func (e *examination) ownEPMD(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), e.epmdPort())
	names, err := e.Names(ctx, at)
	if err != nil {
		e.add(Finding{Level: OK, Check: OwnEPMD, Message: fmt.Sprintf("none answers at %s: ehc run serves one", at)})
		return
	}
	e.add(Finding{Level: OK, Check: OwnEPMD, Message: fmt.Sprintf("%s lists %s", at, many(len(names), "name"))})
}

// servers are the name servers to ask.
func (e *examination) servers() ([]netip.AddrPort, error) {
	if s := e.Spec.DNS.Servers; len(s) > 0 {
		return s, nil
	}
	return discover.SystemServers()
}
