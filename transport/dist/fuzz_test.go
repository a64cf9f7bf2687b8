package dist

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"ehc/transport/etf"
	"ehc/transport/transporttest/corpus"
)

// peer is the far end: what it sends is given, what it is sent is dropped.
type peer struct{ io.Reader }

func (peer) Write(b []byte) (int, error) { return len(b), nil }

func FuzzAccept(f *testing.F) {
	corpus.Hurry(f)
	f.Add(goSays, false, byte(OK))
	f.Add(goSays[:29], false, byte(Alive))
	f.Add(append(append(bytes.Clone(goSays[:29]), "\x00\x05strue"...), goSays[29:]...), false, byte(Alive))
	f.Add([]byte("\x00\x00\x00\x1b"+string(goSays[2:29])+"\x00\x00\x00\x15"+string(goSays[31:])), true, byte(OKSimultaneous))
	f.Add([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), false, byte(OK))
	f.Fuzz(func(t *testing.T, says []byte, wide bool, decision byte) {
		in := bytes.NewReader(says)
		asked := ""
		n, c, err := accept(peer{in}, AcceptOptions{
			Local: otpNode, Wide: wide,
			Cookies: cookies(abc),
			Decide: func(node string) Decision {
				asked = node
				return Decision(decision)
			},
		}, otpAsked)
		if asked != "" && (CheckName(asked) != nil || asked == otpNode.Name) {
			t.Errorf("asked about %q", asked)
		}
		if err != nil {
			return
		}
		if c != abc || n.Name != asked || Missing(n.Flags) != 0 || Decision(decision) == Nok || decision > byte(Alive) {
			t.Errorf("let in %+v with %s", n, c)
		}
		if !bytes.Contains(says[:len(says)-in.Len()], goSays[len(goSays)-digestLen:]) {
			t.Error("let in without the digest")
		}
	})
}

func FuzzDial(f *testing.F) {
	corpus.Hurry(f)
	f.Add(otpSays, false)
	f.Add([]byte("\x00\x06salive"+string(otpSays[5:])), false)
	f.Add([]byte("\x00\x00\x00\x03sok"), true)
	f.Fuzz(func(t *testing.T, says []byte, wide bool) {
		n, err := dial(peer{bytes.NewReader(says)}, DialOptions{Local: goNode, Want: otpNode.Name, Cookie: abc, Wide: wide}, goAsked)
		if err == nil && (n.Name != otpNode.Name || Missing(n.Flags) != 0 || !bytes.Contains(says, otpSays[len(otpSays)-digestLen:])) {
			t.Errorf("met %+v", n)
		}
		if err != nil && causes(err) != 1 {
			t.Errorf("%d causes in %v", causes(err), err)
		}
	})
}

func FuzzParse(f *testing.F) {
	corpus.Hurry(f)
	for _, p := range append(hotPackets(), capturedFirst[4:], capturedReply[4:], capturedDown[4:],
		packet(hi, 37, 17, theirs, ours), packet("", 35, 1, theirs, ours), packet("", 13, theirs, ours, token, fail)) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b, etf.NewDecoder(etf.DefaultLimits()))
		if err != nil {
			return
		}
		s := shapes[c.Op]
		if s.arity == 0 || s.plain != c.Op || c.Op == opAltact {
			t.Errorf("%s came out", c.Op)
		}
		if (len(c.Payload) > 0) != s.payload || (c.Spawn != nil) != (c.Op == OpSpawnRequest) {
			t.Errorf("%+v", c)
		}
		if (c.Op == OpUnlinkID || c.Op == OpUnlinkIDAck) && c.ID == 0 {
			t.Error("an unlink without an id")
		}
	})
}

// A connection with headers, of which the frames are given one after the other.
func FuzzHeaders(f *testing.F) {
	corpus.Hurry(f)
	var all []byte
	for _, p := range capturedHeads {
		all = append(append(all, 0, 0, 0, byte(len(p))), p...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		frames := bufio.NewReader(bytes.NewReader(b))
		d := etf.NewDecoder(etf.DefaultLimits())
		h := NewHeaderReader(d)
		for {
			packet, err := ReadFrame(frames, 1<<10)
			if err != nil {
				return
			}
			c, err := h.Parse(packet)
			if err != nil {
				return
			}
			if s := shapes[c.Op]; s.plain != c.Op || (len(c.Payload) > 0) != s.payload {
				t.Errorf("%+v", c)
			}
			if v, _, err := d.Term(c.Payload); err == nil {
				if _, err := etf.Append(nil, v); err != nil && !errors.Is(err, etf.ErrKeyTwice) {
					t.Errorf("%s cannot be sent: %v", etf.Text(v), err)
				}
			}
		}
	})
}

// The two readers of frames tell the same, whatever comes and however it is cut.
func FuzzFrames(f *testing.F) {
	corpus.Hurry(f)
	f.Add(append(append([]byte{0, 0, 0, 0}, capturedFirst...), capturedReply...), byte(16))
	f.Add(capturedDown, byte(200))
	f.Add([]byte{0, 0, 1, 0, 1, 2}, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		const max = 1 << 10
		one := bufio.NewReader(bytes.NewReader(b))
		other := NewFrameReader(bytes.NewReader(b), int(size), max)
		for {
			want, err := ReadFrame(one, max)
			got, err2 := other.Next()
			if !bytes.Equal(got, want) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("%x and %v, %x and %v", want, err, got, err2)
			}
			if err != nil {
				return
			}
		}
	})
}
