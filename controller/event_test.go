package controller

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ehc/state/outbox"
	"ehc/transport/etf"
)

func TestEventTermIsTheMapThatTheHandlerMatches(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 8, 7, 654321000, time.FixedZone("CET", 3600))
	got, err := eventTerm("01J", "increment_visit", json.RawMessage(`{"page_id":"/blög","delta":1}`), at)
	if err != nil {
		t.Fatal(err)
	}
	want := `#{event_id => <<"01J">>,type => increment_visit,` +
		`payload => #{page_id => <<"/blög"/utf8>>,delta => 1},` +
		`inserted_at => #{'__struct__' => 'Elixir.DateTime',calendar => 'Elixir.Calendar.ISO',` +
		`year => 2026,month => 11,day => 23,hour => 8,minute => 8,second => 7,microsecond => {654321,6},` +
		`time_zone => <<"Etc/UTC">>,zone_abbr => <<"UTC">>,utc_offset => 0,std_offset => 0}}`
	if diff := cmp.Diff(want, etf.Text(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPayloadTerm(t *testing.T) {
	big1, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for name, c := range map[string]struct {
		json string
		want etf.Term
	}{
		"no fields":                           {`{}`, etf.Map{}},
		"the payload's own keys are atoms":    {`{"a":"b"}`, etf.Map{{Key: etf.Atom("a"), Value: "b"}}},
		"deeper keys are binaries":            {`{"a":{"b":1}}`, etf.Map{{Key: etf.Atom("a"), Value: etf.Map{{Key: "b", Value: 1}}}}},
		"and so are those within a list":      {`{"a":[{"b":1}]}`, etf.Map{{Key: etf.Atom("a"), Value: etf.List{etf.Map{{Key: "b", Value: 1}}}}}},
		"of a key that stands twice the last": {`{"a":1,"b":2,"a":3}`, etf.Map{{Key: etf.Atom("a"), Value: 3}, {Key: etf.Atom("b"), Value: 2}}},
		"a long integer stays whole":          {`{"a":123456789012345678901234567890}`, etf.Map{{Key: etf.Atom("a"), Value: big1}}},
		"a point makes a float":               {`{"a":1.0}`, etf.Map{{Key: etf.Atom("a"), Value: 1.0}}},
		"true, false and null are atoms": {`{"a":[true,false,null]}`,
			etf.Map{{Key: etf.Atom("a"), Value: etf.List{etf.Atom("true"), etf.Atom("false"), etf.Atom("nil")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := payloadTerm(json.RawMessage(c.json))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPayloadTermRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a list":                `[1]`,
		"nothing":               ``,
		"an object cut short":   `{"a":1`,
		"text after the object": `{} {}`,
		"a number too large":    `{"a":1e999}`,
		"endless nesting":       `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		if got, err := payloadTerm(json.RawMessage(text)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzPayloadTerm(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":{"b":[1,2.5,"x",null]}}`, `{"a":1e5,"a":2}`, `{"é":"\u0000"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := payloadTerm(text)
		if err == nil && !json.Valid(text) {
			t.Fatalf("%q is no JSON but became %s", text, etf.Text(got))
		}
	})
}

// FuzzAppendEvent: the bytes are those of the term, whichever way they came.
func FuzzAppendEvent(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { "page_id" : "/blög" , "delta":-1 } `, `{"a":true,"b":false,"c":null,"d":9223372036854775807}`,
		`{"a":1,"a":2}`, `{"a":"x\u0000"}`, `{"a":1.5}`, `{"a":1e3}`, `{"a":92233720368547758070}`, `{"a":[1]}`, `{"a":{"b":1}}`,
		`{"a":"]}","b":"{"}`, `{"":0}`, "{\"a\"\n:\t-0}",
	} {
		f.Add("increment_visit", []byte(text), int64(1764201600123456789))
	}
	f.Fuzz(func(t *testing.T, kind string, text []byte, at int64) {
		trimmed := bytes.TrimLeft(text, " \t\r\n")
		if !json.Valid(text) || !utf8.Valid(text) || trimmed[0] != '{' {
			return // never gets into the outbox
		}
		ev := outbox.Event{ID: "01J", Type: kind, Payload: text, InsertedAt: time.Unix(0, at&math.MaxInt64).UTC()}
		var to encoder
		before := ev // by up to two seconds
		before.InsertedAt = ev.InsertedAt.Add(-time.Duration(ev.InsertedAt.UnixNano() % 2e9))
		_, _ = to.append(nil, before)
		got, err := to.append([]byte("before"), ev)
		term, terr := eventTerm(ev.ID, ev.Type, ev.Payload, ev.InsertedAt)
		var want []byte
		if terr == nil {
			want, terr = etf.Append([]byte("before"), term)
		}
		if (err == nil) != (terr == nil) {
			t.Fatalf("%q: %v, want %v", text, err, terr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%q became %q, want %q", text, got, want)
		}
	})
}

func TestAPlainPayloadIsAppendedAtOnce(t *testing.T) {
	for text, want := range map[string]bool{
		`{"page_id":"/blog","delta":1}`: true, `{}`: true, `{"a":null}`: true, `{"a":1.5}`: false, `{"a":[]}`: false, `{"a":"\n"}`: false,
	} {
		ev := outbox.Event{ID: "01J", Type: "t", Payload: []byte(text), InsertedAt: time.Now()}
		if _, ok := new(encoder).appendPlain(nil, ev); ok != want {
			t.Errorf("%s: %v", text, ok)
		}
	}
}
