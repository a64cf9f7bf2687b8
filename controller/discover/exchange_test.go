package discover

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// rogue answers each question over UDP with what reply makes of it; n counts
// them from 1.
func rogue(t *testing.T, reply func(n int, q *dns.Msg) []*dns.Msg) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buf := make([]byte, dns.MaxMsgSize)
		for n := 1; ; n++ {
			size, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if err := q.Unpack(buf[:size]); err != nil {
				t.Error(err)
				return
			}
			for _, m := range reply(n, q) {
				wire, err := m.Pack()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := conn.WriteToUDPAddrPort(wire, from); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// one is the answer of one address to q.
func one(t *testing.T, q *dns.Msg, owner, addr string) *dns.Msg {
	rr, err := dns.NewRR(owner + " 5 IN A " + addr)
	if err != nil {
		t.Error(err)
		return q
	}
	m := new(dns.Msg).SetReply(q)
	m.Answer = []dns.RR{rr}
	return m
}

func TestExchangeWithRogues(t *testing.T) {
	cases := []struct {
		name  string
		reply func(n int, q *dns.Msg) []*dns.Msg
		want  []netip.Addr
		fails string
		waits bool // for half of the time, or all of it
	}{
		{name: "a lost datagram is sent again",
			reply: func(n int, q *dns.Msg) []*dns.Msg {
				if n == 1 {
					return nil
				}
				return []*dns.Msg{one(t, q, "app.internal.", "10.0.0.1")}
			},
			want: addrs("10.0.0.1"), waits: true},
		{name: "a forged answer before the real one is passed over",
			reply: func(_ int, q *dns.Msg) []*dns.Msg {
				forged := one(t, q, "app.internal.", "10.6.6.6")
				forged.Id++
				return []*dns.Msg{forged, one(t, q, "app.internal.", "10.0.0.1")}
			},
			want: addrs("10.0.0.1")},
		{name: "our own question sent back is garbage",
			reply: func(_ int, q *dns.Msg) []*dns.Msg { return []*dns.Msg{q} },
			fails: "garbage from SERVER"},
		{name: "records of other names only are a failure, not an empty answer",
			reply: func(_ int, q *dns.Msg) []*dns.Msg {
				return []*dns.Msg{one(t, q, "another.internal.", "10.0.0.1")}
			},
			fails: "answer for app.internal. tells only of other names"},
		{name: "an answer without its question is a failure",
			reply: func(_ int, q *dns.Msg) []*dns.Msg {
				m := one(t, q, "app.internal.", "10.0.0.1")
				m.Question = nil
				return []*dns.Msg{m}
			},
			fails: "no answer from SERVER, only answers to other questions", waits: true},
		{name: "an rcode counts without the question",
			reply: func(_ int, q *dns.Msg) []*dns.Msg {
				m := new(dns.Msg).SetRcode(q, dns.RcodeNotAuth)
				m.Question = nil
				return []*dns.Msg{m}
			},
			fails: "NOTAUTH from SERVER"},
		{name: "an rcode without a name is told by its number",
			reply: func(_ int, q *dns.Msg) []*dns.Msg {
				return []*dns.Msg{new(dns.Msg).SetRcode(q, 14)}
			},
			fails: "rcode 14 from SERVER"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := rogue(t, c.reply)
			r := &Resolver{Servers: []netip.AddrPort{server}, Timeout: patience}
			if c.waits {
				r.Timeout = 20 * silence
			}
			got, err := r.addresses(t.Context(), "app.internal", dns.TypeA)
			if want := serverIs(c.fails, server); text(err) != want {
				t.Fatalf("error %q, want %q", text(err), want)
			}
			if diff := cmp.Diff(c.want, got.Addrs, byValue); diff != "" {
				t.Error("addresses (-want +got):", diff)
			}
		})
	}
}

// FuzzReply: whatever arrives, it is read without a panic, and an answer with
// addresses is one to our question.
func FuzzReply(f *testing.F) {
	q := new(dns.Msg).SetQuestion("app.internal.", dns.TypeA)
	link := &dns.CNAME{Hdr: dns.RR_Header{Name: "app.internal.", Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: "b.internal."}
	for _, change := range []func(*dns.Msg){
		func(*dns.Msg) {},
		func(m *dns.Msg) { m.Truncated = true },
		func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure },
		func(m *dns.Msg) {
			m.Answer = []dns.RR{link, &dns.A{Hdr: dns.RR_Header{Name: "B.internal.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(10, 0, 0, 1)}}
		},
	} {
		m := new(dns.Msg).SetReply(q)
		change(m)
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		if len(wire) < 12 {
			t.Skip("no header")
		}
		head := dns.Header{Bits: uint16(wire[2])<<8 | uint16(wire[3])}
		reply, err := unpack(wire, head)
		if err != nil || reply.Truncated || !answers(reply, q) || verdict(reply, loopback) != nil {
			return
		}
		end, err := chainEnd(reply.Answer, "app.internal.")
		if err != nil {
			return
		}
		for _, rr := range owned(reply.Answer, end, dns.TypeA) {
			if n := len(addrsOf([]dns.RR{rr})); n > 1 {
				t.Fatalf("%s is %d addresses", rr, n)
			}
		}
	})
}
