package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestObjectOf(t *testing.T) {
	for name, c := range map[string]struct {
		pairs string // separated by spaces
		want  string
	}{
		"nothing is an empty object":           {"", `{}`},
		"a string":                             {"page_id=/blog", `{"page_id":"/blog"}`},
		"a whole number":                       {"delta=1", `{"delta":1}`},
		"a negative number":                    {"delta=-1", `{"delta":-1}`},
		"a fraction":                           {"share=0.5", `{"share":0.5}`},
		"an exponent":                          {"n=1e5", `{"n":1e5}`},
		"a number keeps every digit":           {"n=123456789012345678901", `{"n":123456789012345678901}`},
		"a leading zero makes a string":        {"zip=08540", `{"zip":"08540"}`},
		"a leading plus makes a string":        {"n=+1", `{"n":"+1"}`},
		"a dash alone is a string":             {"n=-", `{"n":"-"}`},
		"a number of another base is a string": {"n=0x10", `{"n":"0x10"}`},
		"no number":                            {"n=NaN", `{"n":"NaN"}`},
		"true, false and null":                 {"a=true b=false c=null", `{"a":true,"b":false,"c":null}`},
		"True is a string":                     {"a=True", `{"a":"True"}`},
		"an empty value is an empty string":    {"name=", `{"name":""}`},
		"the first equals sign divides":        {"a=b=c", `{"a":"b=c"}`},
		"quotes are part of a string":          {`a="5"`, `{"a":"\"5\""}`},
		"an object in := ":                     {`c:={"by":["ada"]}`, `{"c":{"by":["ada"]}}`},
		"a string in := stays a string":        {`zip:="5"`, `{"zip":"5"}`},
		"a key may have a colon inside":        {"a:b=1", `{"a:b":1}`},
		"keys keep their order":                {"z=1 a=2", `{"z":1,"a":2}`},
		"HTML is not escaped":                  {"a=<b>&", `{"a":"<b>&"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := objectOf(strings.Fields(c.pairs))
			if err != nil || string(got) != c.want {
				t.Errorf("objectOf(%s) = %s, %v, want %s", c.pairs, got, err, c.want)
			}
		})
	}
}

func TestObjectOfRefuses(t *testing.T) {
	for name, c := range map[string]struct{ pairs, want string }{
		"what is no pair":       {"page_id", "want KEY=VALUE"},
		"an empty key":          {"=1", "key is empty"},
		"an empty key with :=":  {":=1", "key is empty"},
		"a key twice":           {"a=1 a=2", "twice"},
		"what is no JSON in :=": {"a:={", "not JSON"},
		"nothing in :=":         {"a:=", "not JSON"},
		"two values in :=":      {"a:=1,2", "not JSON"},
		"what is no UTF-8":      {"a=\xff", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := objectOf(strings.Fields(c.pairs)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("objectOf(%q) = %s, %v, want an error with %q", c.pairs, got, err, c.want)
			}
		})
	}
}

// TestObjectOfLosesNothing: whatever text is given as a value is in the JSON as
// the string that it is, or, if JSON has it as a number or a word, digit by digit.
func TestObjectOfLosesNothing(t *testing.T) {
	text := rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.Int(), strconv.Itoa),
		rapid.StringMatching(`-?[0-9]{0,3}(\.[0-9]{0,2})?([eE][-+]?[0-9]{0,2})?`),
		rapid.SampledFrom([]string{"true", "null", "", " 1", "1 ", "\n1"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		value := text.Draw(t, "value")
		if !utf8.ValidString(value) {
			t.Skip()
		}
		b, err := objectOf([]string{"k=" + value})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		var s string
		if json.Unmarshal(got["k"], &s) == nil && got["k"][0] == '"' {
			if s != value {
				t.Fatalf("%q became the string %q", value, s)
			}
			return
		}
		if string(got["k"]) != value {
			t.Fatalf("%q became %s", value, got["k"])
		}
	})
}
