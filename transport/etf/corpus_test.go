package etf_test

import (
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
	"ehc/transport/transporttest/corpus"
)

// What a node of any release encodes is read, and -update makes seeds of it.
func TestWhatANodeEncodes(t *testing.T) {
	source, err := os.ReadFile("testdata/terms.erl")
	if err != nil {
		t.Fatal(err)
	}
	n := beam.Start(t, beam.Options{Name: "a@127.0.0.1", Cookie: "c", Paths: []string{beam.CompileErlang(t, "terms", string(source))}})
	release := "otp" + n.Eval("list_to_integer(erlang:system_info(otp_release))")
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, pair := range listed(t, n.Eval("base64:encode(term_to_binary(terms:all()))")) {
		name, b := string(pair[0].(etf.Atom)), []byte(pair[1].(string))
		var want error
		if name == "compressed" {
			want = etf.ErrCompressed
		}
		if _, err := etf.Decode(b); !errors.Is(err, want) {
			t.Errorf("%s, % x: %v", name, b, err)
		}
		checkBytes(t, d, b[1:])
		corpus.Keep(t, "FuzzDecode", release+"-"+name, b[1:])
	}
}

// listed reads a list of pairs, in base64 as Erlang writes a binary.
func listed(t *testing.T, text string) (pairs []etf.Tuple) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(strings.Trim(text, `<">`))
	if err != nil {
		t.Fatal(err)
	}
	list, err := etf.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range list.(etf.List) {
		pairs = append(pairs, pair.(etf.Tuple))
	}
	return pairs
}
