package epmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
)

// exchange is what one connection to EPMD carried.
type exchange struct{ request, answer []byte }

// between passes connections on to an EPMD, and keeps what each carried once both
// ends have said something.
type between struct {
	mu  sync.Mutex
	all []exchange
}

func (b *between) serve(l net.Listener, epmd string, passing *sync.WaitGroup) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		passing.Go(func() { b.pass(in, epmd) })
	}
}

func (b *between) pass(in net.Conn, epmd string) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", epmd)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	asked := corpus.Listen(in)
	body, err := readRequest(asked)
	if err != nil {
		return
	}
	if _, err := out.Write(request(body)); err != nil {
		return
	}
	if body[0] == opAlive2 { // it has no end, and is as long as it is
		answer := make([]byte, 6)
		n, _ := io.ReadFull(out, answer)
		b.keep(asked.Heard(), answer[:n])
		_, _ = in.Write(answer[:n])
		_, _ = in.Read(answer)
		return
	}
	answer, _ := io.ReadAll(out)
	b.keep(asked.Heard(), answer)
	if body[0] == opNames && len(answer) >= 4 { // who asks wants to be told the port where it asked
		port := in.LocalAddr().(*net.TCPAddr).Port
		answer[0], answer[1], answer[2], answer[3] = 0, 0, byte(port>>8), byte(port)
	}
	_, _ = in.Write(answer)
}

func (b *between) keep(request, answer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, exchange{request, bytes.Clone(answer)})
}

// What a node and a real EPMD say to each other is understood from both sides, and
// -update makes seeds of it.
func TestWhatNodesAndEPMDSayToEachOther(t *testing.T) {
	daemon := loopback(uint16(beam.EPMD(t)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var b between
	var passing sync.WaitGroup
	passing.Go(func() { b.serve(l, daemon.String(), &passing) })
	n := beam.Start(t, beam.Options{Name: "real@127.0.0.1", Cookie: "c", EPMDPort: l.Addr().(*net.TCPAddr).Port})
	release := "otp" + n.Eval("list_to_integer(erlang:system_info(otp_release))")
	n.Eval(`{port, _, _} = erl_epmd:port_please("real", {127,0,0,1}), noport = erl_epmd:port_please("nobody", {127,0,0,1}),
		{ok, [{"real", _}]} = net_adm:names({127,0,0,1})`)
	var taken *TakenError
	if _, err := Register(t.Context(), l.Addr().(*net.TCPAddr).AddrPort(), reg("real")); !errors.As(err, &taken) {
		t.Errorf("a second node of that name: %v", err)
	}
	n.Kill()
	_ = l.Close()
	passing.Wait()

	heard := map[byte]int{}
	for i, x := range b.all {
		body, err := readRequest(bytes.NewReader(x.request))
		if err != nil {
			t.Fatal(err)
		}
		heard[body[0]]++
		switch body[0] {
		case opAlive2:
			if e, ok := parseAlive2(body); !ok || e.Name != "real" {
				t.Errorf("%x is %+v", body, e)
			}
			corpus.Keep(t, "FuzzIntroduce", fmt.Sprintf("%s-%d", release, i), x.answer)
		case opNames:
			if names, err := parseNames(x.answer); err != nil || len(names) != 1 {
				t.Errorf("%q is %v, %v", x.answer, names, err)
			}
		case opPort2:
			if l, err := parsePort2(x.answer); (err == nil) != (string(body[1:]) == "real") {
				t.Errorf("%q is %v, %v", x.answer, l, err)
			}
		}
		corpus.Keep(t, "FuzzServer", fmt.Sprintf("%s-%d", release, i), x.request)
		corpus.Keep(t, "FuzzAnswers", fmt.Sprintf("%s-%d", release, i), x.answer)
	}
	for _, op := range []byte{opAlive2, opNames, opPort2} {
		if heard[op] == 0 {
			t.Errorf("nobody asked %q", op)
		}
	}
}

// FuzzIntroduce reads the answer to a registration.
func FuzzIntroduce(f *testing.F) {
	corpus.Hurry(f)
	f.Add([]byte("\x76\x00\x6b\x04\x6c\x5b"))
	f.Add([]byte("\x79\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		creation, err := reg("a").introduce(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(answer), io.Discard})
		if err == nil && (answer[1] != 0 || !slices.Contains([]byte{ansAlive2, ansAlive}, answer[0]) || answer[0] == ansAlive && creation > 1<<16) {
			t.Errorf("%x is taken for creation %d", answer, creation)
		}
	})
}
