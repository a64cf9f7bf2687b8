package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// replaceFile puts content in place of the file at path, whole or not at all. A
// link is followed.
func replaceFile(path string, content []byte, mode fs.FileMode) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ehc-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already if all went well
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}

// writeJSON writes v for scripts: indented, on lines of its own.
func writeJSON(w io.Writer, v any) error {
	e := newEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// newEncoder writes JSON that may be shown on a terminal: one value a line, for people
// and scripts, with what controls a terminal escaped.
func newEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(tame{w})
	e.SetEscapeHTML(false)
	return e
}

// tame escapes DEL and the C1 controls, which JSON lets stand. It is for an encoder,
// which writes a value at once: such a character is never cut, and always in a string.
type tame struct{ w io.Writer }

func (t tame) Write(b []byte) (int, error) {
	text := b
	if bytes.ContainsFunc(b, isC1) {
		text = nil
		for _, r := range string(b) {
			if isC1(r) {
				text = fmt.Appendf(text, `\u%04x`, r)
			} else {
				text = utf8.AppendRune(text, r)
			}
		}
	}
	if _, err := t.w.Write(text); err != nil {
		return 0, err
	}
	return len(b), nil
}

func isC1(r rune) bool { return r >= 0x7f && r <= 0x9f }
