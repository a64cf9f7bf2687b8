package discover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

const (
	// udpSize is the largest answer that we ask to have over UDP, in bytes: it
	// crosses any path without fragments.
	udpSize = 1232
	// readSize is the largest that we take all the same.
	readSize = 4096
	// truncatedBit is the TC bit in a message's second header word (RFC 1035, 4.1.1).
	truncatedBit = 1 << 9
	// maxStrays bounds the datagrams of one socket that are not the answer.
	maxStrays = 64
)

// Kinds of reply that are no answer.
var (
	errGarbage = errors.New("garbage")
	errStrays  = errors.New("answers to other questions")
)

// exchange asks one server one question, over UDP and, when the answer does not
// fit, over TCP, all within the time given. The reply is whole and is the reply
// to this question; its rcode may be any. A server that knows no EDNS0 is asked
// again without. Every error names the server.
func exchange(ctx context.Context, server netip.AddrPort, name string, typ uint16, within time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	msg := new(dns.Msg).SetQuestion(name, typ)
	msg.SetEdns0(udpSize, false)
	reply, err := ask(ctx, server, msg, within)
	if err == nil && reply.IsEdns0() == nil &&
		(reply.Rcode == dns.RcodeFormatError || reply.Rcode == dns.RcodeNotImplemented) {
		reply, err = ask(ctx, server, new(dns.Msg).SetQuestion(name, typ), within)
	}
	return reply, err
}

// ask sends msg over UDP, and over TCP if the answer was cut short.
func ask(ctx context.Context, server netip.AddrPort, msg *dns.Msg, within time.Duration) (*dns.Msg, error) {
	reply, err := roundTrip(ctx, "udp", server, msg, within)
	if err != nil {
		return nil, blame(ctx, server, err, within)
	}
	if !reply.Truncated {
		return reply, nil
	}
	reply, err = roundTrip(ctx, "tcp", server, msg, within)
	if err == nil && reply.Truncated {
		err = errors.New("truncated as well")
	}
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, context.Canceled
		}
		return nil, &failed{Truncated, fmt.Errorf("truncated answer from %s; over TCP: %w", server, blame(ctx, server, err, within))}
	}
	return reply, nil
}

// roundTrip sends msg on a socket of its own and reads until the reply to it.
func roundTrip(ctx context.Context, network string, server netip.AddrPort, msg *dns.Msg, within time.Duration) (*dns.Msg, error) {
	wire, err := msg.Pack()
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = raw.Close() }()
	unblock := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer unblock()

	conn := &dns.Conn{Conn: raw, UDPSize: readSize}
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	if network != "udp" {
		return await(conn, msg, false)
	}
	// Either datagram may have been lost: half of the time in silence, and the
	// question goes out once more.
	_ = raw.SetReadDeadline(time.Now().Add(within / 2))
	reply, err := await(conn, msg, true)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return reply, err
	}
	_ = raw.SetReadDeadline(time.Time{})
	if ctx.Err() != nil { // it may have ended just before that line
		return nil, err
	}
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	return await(conn, msg, true)
}

// await reads until the reply to msg. Over UDP anybody may send us a datagram,
// so one under another id or for another question is not ours to judge by, and
// is passed over; over TCP it is an error.
func await(conn *dns.Conn, msg *dns.Msg, passOver bool) (*dns.Msg, error) {
	for strays := 0; ; strays++ {
		var head dns.Header
		wire, err := conn.ReadMsgHeader(&head)
		switch {
		case errors.Is(err, dns.ErrShortRead):
			return nil, errGarbage
		case err != nil && strays > 0:
			return nil, fmt.Errorf("%w (%w)", errStrays, err)
		case err != nil:
			return nil, err
		}
		if head.Id == msg.Id {
			reply, err := unpack(wire, head)
			if err != nil || answers(reply, msg) {
				return reply, err
			}
		}
		if !passOver || strays == maxStrays {
			return nil, errStrays
		}
	}
}

// unpack reads a message. One that was cut short may end anywhere, and is
// wanted for that one bit alone.
func unpack(wire []byte, head dns.Header) (*dns.Msg, error) {
	if head.Bits&truncatedBit != 0 {
		return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Truncated: true}}, nil
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(wire); err != nil || !reply.Response {
		return nil, errGarbage
	}
	return reply, nil
}

// answers says whether reply repeats the question of msg. A server that could
// not even read the question, or will not deal with it, may leave it out.
func answers(reply, msg *dns.Msg) bool {
	if len(reply.Question) == 0 {
		return reply.Truncated || reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError
	}
	got, want := reply.Question[0], msg.Question[0]
	return got.Qtype == want.Qtype && got.Qclass == want.Qclass && strings.EqualFold(got.Name, want.Name)
}

// blame says what went wrong at server, in words that stay the same from one
// lookup to the next: without our own port, which a network error would name.
func blame(ctx context.Context, server netip.AddrPort, err error, within time.Duration) error {
	var errno syscall.Errno
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(err, errGarbage):
		return &failed{Garbage, fmt.Errorf("%w from %s", errGarbage, server)}
	case errors.Is(err, errStrays):
		return &failed{Garbage, fmt.Errorf("no answer from %s, only %w", server, errStrays)}
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return &failed{TimedOut, fmt.Errorf("no answer from %s within %s", server, within)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("no answer from %s: connection closed", server)
	case errors.As(err, &errno):
		return fmt.Errorf("no answer from %s: %w", server, errno)
	}
	return fmt.Errorf("no answer from %s: %w", server, err)
}
