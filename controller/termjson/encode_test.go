package termjson_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/termjson"
	"ehc/transport/etf"
)

func TestEncode(t *testing.T) {
	long, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for name, c := range map[string]struct {
		term etf.Term
		want string
	}{
		"nil is null":                     {etf.Atom("nil"), `null`},
		"booleans":                        {etf.List{etf.Atom("true"), etf.Atom("false")}, `[true,false]`},
		"an atom is its text":             {etf.Atom("ok"), `"ok"`},
		"a module as Elixir shows it":     {etf.Atom("Elixir.Phoenix.PubSub"), `"Phoenix.PubSub"`},
		"the atom Elixir.":                {etf.Atom("Elixir."), `"Elixir."`},
		"an integer of any length":        {etf.List{1, -7, long}, `[1,-7,123456789012345678901234567890]`},
		"an integer beyond all reason":    {new(big.Int).Lsh(big.NewInt(1), 20000), `{"$erlang":"#Integer<20001 bits>"}`},
		"a float stays one":               {etf.List{1.0, 0.1, 1e100, -2.0}, `[1.0,0.1,1e+100,-2.0]`},
		"text":                            {"a \"quoted\\\" blög\n\x00\u2028", `"a \"quoted\\\" blög\n\u0000\u2028"`},
		"a binary that is no text":        {"\xff\x00", `{"$binary":"/wA="}`},
		"a tuple is an array":             {etf.Tuple{etf.Atom("ok"), etf.List{}}, `["ok",[]]`},
		"a map with atoms":                {etf.Map{{Key: etf.Atom("a"), Value: 1}, {Key: "b", Value: 2}, {Key: 3, Value: 4}}, `{"a":1,"b":2,"3":4}`},
		"two keys of one text":            {etf.Map{{Key: etf.Atom("a"), Value: 1}, {Key: "a", Value: 2}}, `{"$map":[["a",1],["a",2]]}`},
		"a key that is no text":           {etf.Map{{Key: etf.Tuple{1, 2}, Value: "x"}}, `{"$map":[[[1,2],"x"]]}`},
		"a map that looks like a form":    {etf.Map{{Key: "$atom", Value: "x"}}, `{"$map":[["$atom","x"]]}`},
		"one with two keys does not":      {etf.Map{{Key: "$atom", Value: 1}, {Key: "b", Value: 2}}, `{"$atom":1,"b":2}`},
		"an empty map":                    {etf.Map{}, `{}`},
		"a struct says first what it is":  {etf.Map{{Key: etf.Atom("n"), Value: 1}, {Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.A.B")}}, `{"__struct__":"A.B","n":1}`},
		"an improper list":                {etf.ImproperList{Elems: []etf.Term{"a"}, Tail: "b"}, `{"$improper":[["a"],"b"]}`},
		"a pid is for people":             {etf.Pid{Node: "a@b", ID: 1, Serial: 2, Creation: 3}, `{"$erlang":"#Pid<a@b.1.2>"}`},
		"a function is for people":        {etf.Export{Module: "lists", Function: "map", Arity: 2}, `{"$erlang":"fun lists:map/2"}`},
		"bits are for people":             {etf.BitString{Bytes: "\xa0", Bits: 3}, `{"$erlang":"<<5:3>>"}`},
		"what is no term":                 {struct{}{}, `{"$erlang":"#Go<struct {}>"}`},
		"a float that JSON does not have": {math.Inf(1), `{"$erlang":"+Inf"}`},
		"a broadcast of Phoenix": {etf.Map{
			{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.Phoenix.Socket.Broadcast")},
			{Key: etf.Atom("event"), Value: "visit"}, {Key: etf.Atom("payload"), Value: etf.Map{{Key: etf.Atom("n"), Value: 1}}}, {Key: etf.Atom("topic"), Value: "metrics:x"},
		}, `{"__struct__":"Phoenix.Socket.Broadcast","event":"visit","payload":{"n":1},"topic":"metrics:x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, string(termjson.Encode(c.term))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// at is a calendar struct of Elixir's with all fields that any of them has.
func at(name etf.Atom, change etf.Map) etf.Map {
	m := etf.Map{
		{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.") + name}, {Key: etf.Atom("calendar"), Value: etf.Atom("Elixir.Calendar.ISO")},
		{Key: etf.Atom("year"), Value: 2026}, {Key: etf.Atom("month"), Value: 1}, {Key: etf.Atom("day"), Value: 2},
		{Key: etf.Atom("hour"), Value: 3}, {Key: etf.Atom("minute"), Value: 4}, {Key: etf.Atom("second"), Value: 5},
		{Key: etf.Atom("microsecond"), Value: etf.Tuple{60, 6}}, {Key: etf.Atom("time_zone"), Value: "Etc/UTC"},
		{Key: etf.Atom("zone_abbr"), Value: "UTC"}, {Key: etf.Atom("utc_offset"), Value: 0}, {Key: etf.Atom("std_offset"), Value: 0},
	}
	for _, c := range change {
		for i := range m {
			if m[i].Key == c.Key {
				m[i].Value = c.Value
			}
		}
	}
	return m
}

func TestEncodeCalendar(t *testing.T) {
	set := func(name etf.Atom, v etf.Term) etf.Map { return etf.Map{{Key: name, Value: v}} }
	for _, c := range []struct {
		term etf.Map
		want string
	}{
		{at("DateTime", nil), `"2026-01-02T03:04:05.000060Z"`},
		{at("DateTime", etf.Map{{Key: etf.Atom("time_zone"), Value: "Europe/Berlin"}, {Key: etf.Atom("utc_offset"), Value: 3600}, {Key: etf.Atom("std_offset"), Value: 3600}}), `"2026-01-02T03:04:05.000060+02:00"`},
		{at("DateTime", etf.Map{{Key: etf.Atom("time_zone"), Value: "America/St_Johns"}, {Key: etf.Atom("utc_offset"), Value: -12600}}), `"2026-01-02T03:04:05.000060-03:30"`},
		{at("NaiveDateTime", set("microsecond", etf.Tuple{0, 0})), `"2026-01-02T03:04:05"`},
		{at("Date", set("year", -7)), `"-0007-01-02"`},
		{at("Time", set("microsecond", etf.Tuple{120000, 3})), `"03:04:05.120"`},
	} {
		if got := string(termjson.Encode(c.term)); got != c.want {
			t.Errorf("%s: got %s, want %s", etf.Text(c.term), got, c.want)
		}
	}
	for _, broken := range []etf.Map{
		at("Date", set("month", 13)), at("Date", set("day", "2")), at("Time", set("microsecond", 5)),
		at("DateTime", set("utc_offset", 1<<40)), at("Date", set("calendar", etf.Atom("Elixir.Other"))),
	} {
		if got := termjson.Encode(broken); got[0] != '{' {
			t.Errorf("%s: got %s, want an object", etf.Text(broken), got)
		}
	}
}

// Whatever a peer sends has a JSON, on one line.
func FuzzEncode(f *testing.F) {
	for _, t := range []etf.Term{
		at("DateTime", nil), etf.Map{{Key: "$atom", Value: "x"}}, etf.ImproperList{Elems: []etf.Term{1.5}, Tail: "\xff"},
		etf.List{etf.Pid{Node: "a@b"}, etf.Export{Module: "m", Function: "f"}, etf.BitString{Bytes: "\xa0", Bits: 3}},
	} {
		b, err := etf.Encode(t)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term, err := etf.Decode(b)
		if err != nil {
			return
		}
		if text := termjson.Encode(term); !json.Valid(text) || strings.ContainsAny(string(text), "\r\n") {
			t.Fatalf("%s became %q", etf.Text(term), text)
		}
	})
}
