package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOnlyTheListsOfARequestAreBounded(t *testing.T) {
	many := strings.Repeat("1,", maxList)
	for name, c := range map[string]struct {
		text string
		long bool
	}{
		"a list that is too long":      {`{"ids":[` + many + `1]}`, true},
		"the longest list":             {`{"ids":[` + strings.TrimSuffix(many, ",") + `],"args":[` + strings.TrimSuffix(many, ",") + `]}`, false},
		"one behind another":           {`{"ids":[1,2],"app":"a","args":[` + many + `1]}`, true},
		"one in a payload":             {`{"payload":{"a":[` + many + `1]}}`, false},
		"the fields of a payload":      {`{"payload":{` + strings.Repeat(`"a":1,`, maxList) + `"a":1}}`, false},
		"a string":                     {`{"text":"[` + many + `","events":["\"[` + many + `","\\"]}`, false},
		"one behind a string":          {`{"text":"\\\"","events":["\\",` + many + `1]}`, true},
		"braces that nothing has open": {`]]}}[[` + many, false},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
			_, err := io.Copy(io.Discard, &modest{body: r})
			var p *Problem
			if c.long != errors.As(err, &p) || !c.long && err != nil || p != nil && p.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
