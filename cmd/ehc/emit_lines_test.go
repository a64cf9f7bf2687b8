package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"ehc/controller/api"
)

// FuzzLines: whatever is imported, or emitted, line by line, each event that comes
// out of it has a type and a payload that is an object.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"id\":\"1\",\"app\":\"a\",\"seq\":3,\"type\":\"t\",\"payload\":{\"a\":1},\"inserted_at\":\"2026-11-27T10:00:00Z\"}\n\n"))
	f.Add([]byte(`{"id":"2","type":"t","tries":2,"error":"no","reason":"HandlerRefused","died_at":"2026-11-27T10:00:00Z"}`))
	f.Add([]byte("{\"type\":\"t\",\"payload\":[]}\n{}"))
	f.Add([]byte("{\"type\":\"t\"} {\"type\":\"u\"}\nx"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, read := range map[string]func([]byte, string) (api.Event, error){"import": exportedEvent, "emit": newEvent} {
			for line := range bytes.Lines(text) {
				e, err := read(line, "app")
				if err != nil {
					continue
				}
				if e.Type == "" || e.App == "" || !json.Valid(e.Payload) || !isObject(string(e.Payload)) {
					t.Errorf("%s: %q became %+v", name, line, e)
				}
				if name == "import" && e.ID == "" {
					t.Errorf("import: %q has no id", line)
				}
			}
		}
	})
}

func TestALineIsOneEvent(t *testing.T) {
	for _, after := range []string{"]", "}", " {}", "x"} {
		if e, err := newEvent([]byte(`{"type":"x"}`+after), ""); err == nil {
			t.Errorf("%s behind an event: taken for %+v", after, e)
		}
	}
}
