package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"ehc/state"
	"ehc/transport"
	"ehc/transport/epmd"
)

// epmdAtOnce bounds how many EPMDs one lookup asks at once. It is more than
// sideBySide because an EPMD that is not there costs its whole timeout.
const epmdAtOnce = 128

// heard is what the EPMD at one address said.
type heard struct {
	entries []epmd.Entry
	err     error
}

// ask asks the EPMDs at all places side by side and keeps the names that fit
// the glob.
func (f *Finder) ask(ctx context.Context, places []place, glob string) (state.Answer, error) {
	addrs := make([]netip.Addr, 0, len(places))
	for _, at := range places {
		addrs = append(addrs, at.addr)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)

	said := make([]heard, len(addrs))
	var group errgroup.Group
	group.SetLimit(epmdAtOnce)
	for i, addr := range addrs {
		group.Go(func() error {
			said[i] = f.names(ctx, addr)
			return nil
		})
	}
	_ = group.Wait()
	if err := ctx.Err(); err != nil {
		return state.Answer{}, err // no EPMD was given the time to answer
	}

	var found []state.Found
	var unasked []netip.Addr
	for i, addr := range addrs {
		if said[i].err != nil {
			unasked = append(unasked, addr)
			continue
		}
		for _, e := range said[i].entries {
			if node, ok := listed(e.Name, addr); ok && Match(glob, e.Name) {
				found = append(found, state.Found{Node: node, Addr: addr, Port: e.Port})
			}
		}
	}
	answer, err := f.answer(found)
	if err != nil {
		return state.Answer{}, err
	}
	answer.Unasked, answer.Why = unasked, f.why(addrs, said)
	if len(addrs) > 0 && len(answer.Found) == 0 && len(unasked) == 0 {
		answer.Barren = f.passedOver(addrs, said, glob)
	}
	return answer, nil
}

// namesShown is how many names of one EPMD are told of at most.
const namesShown = 3

// passedOver says what the EPMDs list instead of a name that fits: the first that lists
// any node but ours.
func (f *Finder) passedOver(addrs []netip.Addr, said []heard, glob string) string {
	text := fmt.Sprintf("EPMD at %s lists no node", addrs[0])
	for i, addr := range addrs {
		var names []string
		for _, e := range said[i].entries {
			if node, ok := listed(e.Name, addr); ok && node != f.Self {
				names = append(names, fmt.Sprintf("%.40q", e.Name))
			}
		}
		if len(names) == 0 {
			continue
		}
		slices.Sort(names)
		if more := len(names) - namesShown; more > 0 {
			names = append(names[:namesShown], fmt.Sprintf("%d more", more))
		}
		text = fmt.Sprintf("EPMD at %s lists %s, and none fits match %q", addr, strings.Join(names, ", "), glob)
		break
	}
	if more := len(addrs) - 1; more > 0 {
		text += fmt.Sprintf("; nor elsewhere, at %d more", more)
	}
	return text
}

func (f *Finder) names(ctx context.Context, addr netip.Addr) heard {
	names := f.Names
	if names == nil {
		names = epmd.Names
	}
	ctx, cancel := context.WithTimeout(ctx, f.epmdTimeout())
	defer cancel()
	began := time.Now()
	entries, err := names(ctx, f.epmdAt(addr))
	if f.Observer != nil && (err == nil || !errors.Is(ctx.Err(), context.Canceled)) {
		f.Observer.AskedEPMD(epmdOutcome(err), time.Since(began))
	}
	return heard{entries: entries, err: err}
}

func (f *Finder) epmdAt(addr netip.Addr) netip.AddrPort {
	return netip.AddrPortFrom(addr, cmp.Or(f.EPMDPort, epmd.DefaultPort))
}

func (f *Finder) epmdTimeout() time.Duration { return cmp.Or(f.EPMDTimeout, defaultEPMDTimeout) }

// why says what went wrong at the first address that could not be asked, and
// how many more there are; it is empty if all could.
func (f *Finder) why(addrs []netip.Addr, said []heard) string {
	var first string
	more := -1
	for i, h := range said {
		if h.err == nil {
			continue
		}
		if more++; more == 0 {
			first = f.unasked(f.epmdAt(addrs[i]), h.err)
		}
	}
	if more > 0 {
		return fmt.Sprintf("%s (and %d more)", first, more)
	}
	return first
}

// unasked words err without what differs each time, such as our own port.
func (f *Finder) unasked(at netip.AddrPort, err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, transport.ErrProtocol):
		return fmt.Sprintf("what answers at %s is not EPMD", at)
	case errors.Is(err, transport.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("EPMD at %s unreachable: no answer within %s", at, f.epmdTimeout())
	case errors.As(err, &errno):
		return fmt.Sprintf("EPMD at %s unreachable: %s", at, errno)
	}
	return fmt.Sprintf("EPMD at %s unreachable", at)
}
