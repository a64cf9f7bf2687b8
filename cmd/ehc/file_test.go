package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONOutputControlsNoTerminal: U+009B is what a terminal takes for ESC [.
func TestJSONOutputControlsNoTerminal(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, any) error{
		"indented": func(b *bytes.Buffer, v any) error { return writeJSON(b, v) },
		"lines":    func(b *bytes.Buffer, v any) error { return newEncoder(b).Encode(v) },
	} {
		text := "a\x7f\u0080\u009b31mö€\U0001f600<"
		var b bytes.Buffer
		if err := write(&b, map[string]any{text: json.RawMessage(`["` + text + `"]`)}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r >= 0x7f && r <= 0x9f }) || !strings.Contains(b.String(), `\u009b31mö€`) {
			t.Errorf("%s: wrote %q", name, b.String())
		}
		var back map[string][]string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back[text]) != 1 || back[text][0] != text {
			t.Errorf("%s: read back %q, %v", name, back, err)
		}
	}
}
