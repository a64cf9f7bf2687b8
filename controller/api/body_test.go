package api

import (
	"encoding/json"
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

// TestWhatIsWrongWithABodyIsSaidInJSONsWords: whoever asks with curl knows none of Go's
// types.
func TestWhatIsWrongWithABodyIsSaidInJSONsWords(t *testing.T) {
	c := clientOf(t, serve(t, Handler(fake{}, Options{})))
	for _, r := range []struct{ path, body, want string }{
		{"/v1/events", `[]`, "it is a JSON array, want an object"},
		{"/v1/events", `{"type":5}`, "type: it is a JSON number, want a string"},
		{"/v1/events", `{"events":"x"}`, "events: it is a JSON string, want an array"},
		{"/v1/events", `{"events":[],"wait_millis":1.5}`, "wait_millis: it is a JSON number 1.5, want a whole number within its bounds"},
		{"/v1/events", `{"typ":"x"}`, `unknown field "typ"`},
		{"/v1/events", `{"type":"x"`, "the JSON ends too early"},
		{"/v1/events", `{"type":"x","inserted_at":"today"}`, "today is no time: want RFC 3339, such as 2026-11-27T05:00:00Z"},
		{"/v1/outbox/drop", `{"all":"yes"}`, "all: it is a JSON string, want true or false"},
		{"/v1/outbox/drop", `{"through":-1}`, "through: it is a JSON number -1, want a whole number within its bounds"},
	} {
		var p Problem
		_, text := send(t, c, http.MethodPost, r.path, "", r.body)
		if err := json.Unmarshal(text, &p); err != nil || p.Status != http.StatusBadRequest || p.Detail != "read request body: "+r.want {
			t.Errorf("%s: %s", r.body, text)
		}
	}
}
