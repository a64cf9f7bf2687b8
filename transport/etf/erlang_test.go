package etf_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ehc/transport/etf"
)

// erlang is a real emulator that runs testdata/echo.erl.
type erlang struct {
	in  io.Writer
	out *bufio.Reader
}

func startErlang(t *testing.T) *erlang {
	t.Helper()
	if testing.Short() {
		t.Skip("needs erl")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "erlc", "-o", dir, "testdata/echo.erl").CombinedOutput(); err != nil {
		t.Fatalf("erlc: %v\n%s", err, out)
	}
	cmd := exec.Command("erl", "-noinput", "-pa", dir, "-s", "echo", "main")
	cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_SECONDS=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A node that hangs ends the test instead of holding it.
	stuck := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = in.Close() // the node halts at the end of its input
		err := cmd.Wait()
		stuck.Stop()
		var exit *exec.ExitError
		if err != nil && (errors.As(err, &exit) || !t.Failed()) {
			t.Errorf("erl: %v\n%s", err, stderr.Bytes())
		}
	})
	return &erlang{in: in, out: bufio.NewReader(out)}
}

// fatal is what *testing.T and *rapid.T have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

// ask sends one command and returns the answer.
func (e *erlang) ask(t fatal, command byte, body []byte) []byte {
	t.Helper()
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(body)))
	if _, err := e.in.Write(append(append(b, command), body...)); err != nil {
		t.Fatal(err)
	}
	var n uint32
	if err := binary.Read(e.out, binary.BigEndian, &n); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(e.out, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTermsOfErlangComeBackIdentical(t *testing.T) {
	const terms, batch = 100_000, 500
	erl := startErlang(t)
	d := etf.NewDecoder(etf.DefaultLimits())
	kinds := map[byte]int{}
	for seed := uint32(0); seed < terms; seed += batch {
		made := erl.ask(t, 'M', binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, seed), batch))
		var back []byte
		for i := seed; len(made) > 0; i++ {
			b := made[4 : 4+binary.BigEndian.Uint32(made)]
			made = made[4+len(b):]
			kinds[b[1]]++
			term, rest, err := d.Term(b[1:])
			if err != nil || len(rest) > 0 {
				t.Fatalf("seed %d: rest % x, %v", i, rest, err)
			}
			out, err := etf.Encode(term)
			if err != nil {
				t.Fatalf("seed %d: %v", i, err)
			}
			back = append(binary.BigEndian.AppendUint32(back, uint32(len(out))), out...)
		}
		if verdict := erl.ask(t, 'V', back); string(verdict) != "ok" {
			t.Fatalf("seeds %d to %d: %.2000s", seed, seed+batch-1, verdict)
		}
	}
	if kinds[89] == 0 && kinds[120] == 0 { // OTP 27 has ports of the newer kind only
		t.Error("no term began with a port's tag")
	}
	// 67 is of OTP 29; 101, 102, 103, 114, 115 and 118 are in the tables.
	for _, tag := range []byte{70, 77, 88, 90, 97, 98, 99, 100, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 116} {
		if kinds[tag] == 0 {
			t.Errorf("no term began with tag %d", tag)
		}
	}
}

func TestTermsOfGoComeBackIdentical(t *testing.T) {
	erl := startErlang(t)
	d := etf.NewDecoder(etf.DefaultLimits())
	rapid.Check(t, func(t *rapid.T) {
		for _, term := range rapid.SliceOfN(terms(3), 30, 60).Draw(t, "terms") {
			b, err := etf.Encode(term)
			if err != nil {
				t.Fatal(err)
			}
			answer := erl.ask(t, 'e', b)
			if answer[0] != 131 {
				t.Fatalf("erl refuses %v, % x: %s", term, b, answer)
			}
			got, rest, err := d.Term(answer[1:])
			if err != nil || len(rest) > 0 {
				t.Fatalf("%v: rest % x, %v", term, rest, err)
			}
			if canon(got) != canon(term) {
				t.Fatalf("sent %v\ngot %v", term, got)
			}
			out, err := etf.Encode(got)
			if err != nil {
				t.Fatal(err)
			}
			if verdict := erl.ask(t, 'v', out); string(verdict) != "ok" {
				t.Fatalf("sent %v: %.2000s", term, verdict)
			}
		}
	})
}

func TestErlangReadsTheLongestInteger(t *testing.T) {
	erl := startErlang(t)
	for _, n := range []*big.Int{power(65535*8 - 1), new(big.Int).Sub(power(65535*8), big.NewInt(1))} {
		b, err := etf.Encode(n)
		if err != nil {
			t.Fatal(err)
		}
		if answer := erl.ask(t, 'e', b); !bytes.Equal(answer, b) {
			t.Errorf("%d bits: %.40q", n.BitLen(), answer)
		}
	}
}

func TestErlangReadsTheTextOfTerms(t *testing.T) {
	erl := startErlang(t)
	rapid.Check(t, func(t *rapid.T) {
		for _, term := range rapid.SliceOfN(readable(3), 10, 20).Draw(t, "terms") {
			text := etf.Text(term)
			if len(text) > 4096 {
				continue
			}
			b, err := etf.Encode(term)
			if err != nil {
				t.Fatal(err)
			}
			erl.ask(t, 'e', b)
			if verdict := erl.ask(t, 't', []byte(text)); string(verdict) != "ok" {
				t.Fatalf("text %q: %.2000s", text, verdict)
			}
		}
	})
}
