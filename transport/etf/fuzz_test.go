package etf_test

import (
	"bytes"
	"errors"
	"testing"

	"ehc/transport/etf"
	"ehc/transport/transporttest/corpus"
)

// The corpus in testdata holds what nodes made of terms of every kind, without the
// leading 131: see corpus_test.go.
func FuzzDecode(f *testing.F) {
	corpus.Hurry(f)
	for _, s := range samples(f) {
		f.Add(unhex(f, s.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checkBytes(t, etf.NewDecoder(etf.DefaultLimits()), b)
	})
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkBytes holds what is true of all bytes: Skip and Decoder agree, what
// decodes can be sent, and what is sent decodes to an equal term, with references to
// atoms in place of some too.
func checkBytes(t failer, d *etf.Decoder, b []byte) {
	t.Helper()
	term, rest, err := d.Term(b)
	after, skipErr := etf.Skip(b)
	if (err == nil) != (skipErr == nil) || !bytes.Equal(rest, after) {
		t.Fatalf("% x: decode %v leaves % x, skip %v leaves % x", b, err, rest, skipErr, after)
	}
	whole, wholeErr := etf.Decode(append([]byte{131}, b...))
	if (wholeErr == nil) != (err == nil && len(rest) == 0) {
		t.Fatalf("% x: Term %v leaves % x, Decode %v", b, err, rest, wholeErr)
	}
	if err != nil {
		return
	}
	out, err := etf.Append(nil, term)
	if errors.Is(err, etf.ErrKeyTwice) {
		return // the one thing that decodes and cannot be sent
	}
	if err != nil {
		t.Fatalf("% x decodes to %v: %v", b, term, err)
	}
	again, rest, err := d.Term(out)
	if err != nil || len(rest) > 0 {
		t.Fatalf("% x became % x: rest % x, %v", b, out, rest, err)
	}
	if !equal(term, again) {
		t.Fatalf("% x, %v, became % x, %v", b, term, out, again)
	}
	n := newNumbers(t, 3)
	refs, tail := etf.AppendRefs(nil, out, len(out), n.refer)
	if again, rest, err := n.d.Term(append(refs, tail...)); err != nil || len(rest) > 0 || !equal(term, again) {
		t.Fatalf("% x became % x: rest % x, %v", out, refs, rest, err)
	}
	if wholeErr == nil && !equal(term, whole) {
		t.Fatalf("% x: Term gives %v, Decode %v", b, term, whole)
	}
	if n := len(etf.Text(term)); n > 4096+len("...") {
		t.Fatalf("% x has a text of %d bytes", b, n)
	}
}
