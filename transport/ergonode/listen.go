package ergonode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"

	"ehc/transport"
	"ehc/transport/dist"
)

// acceptPause is how long to wait after an accept that failed for want of
// something, files as a rule, that may be there again later.
const acceptPause = 50 * time.Millisecond

func listen(ctx context.Context, o Options) (net.Listener, error) {
	addr := ""
	if o.Listen.IsValid() {
		addr = o.Listen.String()
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(addr, fmt.Sprint(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// accept lets peers in, so many at once, each handshake by itself: a silent peer
// holds up nobody.
func (n *Node) accept() {
	defer func() {
		n.mu.Lock()
		n.deaf = true
		n.mu.Unlock()
	}()
	slots := make(chan struct{}, n.o.Limits.Handshakes)
	guests := newGuests(n.o.Limits.PerAddress)
	for {
		select {
		case slots <- struct{}{}:
		case <-n.ctx.Done():
			return
		}
		nc, err := n.listener.Accept()
		if err != nil {
			if n.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			<-slots
			n.o.Log.Warn("accept", "error", err)
			n.pause(acceptPause)
			continue
		}
		if !guests.enter(nc.RemoteAddr()) {
			<-slots
			_ = nc.Close()
			n.o.Log.Debug("too many handshakes of one address", "from", nc.RemoteAddr())
			continue
		}
		n.running.Go(func() {
			defer func() { <-slots }()
			defer guests.leave(nc.RemoteAddr())
			if err := n.greet(nc); err != nil && n.ctx.Err() == nil {
				n.turnedAway(nc.RemoteAddr(), err)
			}
		})
	}
}

// errWithdrawn says that a peer has ended its dial because ours has met it.
var errWithdrawn = errors.New("gave way to our own dial")

// turnedAway tells of a peer that was not let in. That one of two dials at once yields,
// and that a peer keeps the connection which it has, is in the nature of things; the
// rest somebody should look at.
func (n *Node) turnedAway(from net.Addr, err error) {
	level, why := hclog.Warn, transport.Reason(err)
	if errors.Is(err, dist.ErrNok) || errors.Is(err, dist.ErrStays) || errors.Is(err, errWithdrawn) {
		level, why = hclog.Debug, transport.Reason(transport.ErrYielded)
	}
	n.o.Refused(why)
	n.o.Log.Log(level, "peer not let in", "from", from, "reason", why, "error", err)
}

func (n *Node) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-n.ctx.Done():
	}
}

// greet is the handshake with a peer that dialled us.
func (n *Node) greet(raw net.Conn) error {
	stop := context.AfterFunc(n.ctx, func() { _ = raw.Close() })
	arrived := func() {}
	defer func() { arrived() }()
	name := "" // as claimed
	decide := func(claimed string) dist.Decision {
		name = claimed
		return n.decide(claimed)
	}
	admit := func(name string, d dist.Decision) error {
		arrived = n.hold(name).arriving()
		if d == dist.OK {
			return nil
		}
		return n.replace(name)
	}
	var with dist.Node
	nc, err := n.secure(raw, "")
	if err == nil {
		_ = nc.SetDeadline(time.Now().Add(n.o.SetupTimeout))
		with, _, err = dist.Accept(nc, dist.AcceptOptions{
			Local: n.self, Cookies: n.cookiesFor, Decide: decide, Admit: admit, Wide: n.o.TLS != nil,
		})
		err = alerted(err)
	}
	stopped := stop()
	if err == nil {
		err = nc.SetDeadline(time.Time{})
	}
	if err != nil || !stopped {
		_ = raw.Close()
		return n.crossed(name, err)
	}
	_, err = n.establish(n.ctx, nc, with, true)
	return err
}

// crossed names the cause if a peer that we are dialling, or are connected with by now,
// has closed in the middle of its own handshake: OTP does so where our dial has come
// after that had begun, and wins.
func (n *Node) crossed(name string, err error) error {
	p := n.known(name)
	if p == nil || !errors.Is(err, transport.ErrUnreachable) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.attempt == nil && p.link == nil {
		return err
	}
	return fmt.Errorf("%w: %w", errWithdrawn, err)
}

func (n *Node) cookiesFor(node string) []transport.Cookie {
	if n.o.AppCookies != nil {
		if own := n.o.AppCookies(node); len(own) > 0 {
			return own
		}
	}
	return n.o.Cookies
}

// decide changes nothing, for the name is not proven yet.
func (n *Node) decide(name string) dist.Decision {
	p := n.known(name)
	if p == nil {
		return dist.OK
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.link != nil:
		return dist.Alive
	case p.attempt != nil && !p.attempt.yields:
		return dist.Collide(n.self.Name, name)
	}
	return dist.OK
}

// replace makes room for a peer that has proven itself: the old link goes, or our
// own dial does.
func (n *Node) replace(name string) error {
	p := n.known(name)
	if p == nil {
		return nil
	}
	p.mu.Lock()
	old, a := p.link, p.attempt
	p.mu.Unlock()
	if a != nil {
		a.abort(transport.ErrYielded)
	}
	if old != nil {
		old.end(transport.ErrReplaced)
		<-old.down
	}
	return nil
}
