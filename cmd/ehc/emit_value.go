package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// payloadOf is the payload that a command line gives: pairs, or the text of
// -payload.
func payloadOf(pairs []string, text string) (json.RawMessage, error) {
	if text == "" {
		return objectOf(pairs)
	}
	if len(pairs) > 0 {
		return nil, errors.New("give KEY=VALUE or -payload, not both")
	}
	if !isObject(text) {
		return nil, fmt.Errorf("-payload %q: want a JSON object", text)
	}
	return json.RawMessage(text), nil
}

// objectOf makes a JSON object of pairs, in their order:
//
//	page_id=/blog    "page_id": "/blog"
//	delta=1          "delta": 1            a number as JSON writes it, digit by digit
//	delta=01         "delta": "01"         which this is not
//	done=true        "done": true          false and null too
//	name=            "name": ""
//	a=b=c            "a": "b=c"
//	at:=[1,2]        "at": [1,2]           any JSON
//	zip:="08540"     "zip": "08540"        a string for sure
func objectOf(pairs []string) (json.RawMessage, error) {
	var b bytes.Buffer
	seen := map[string]bool{}
	b.WriteByte('{')
	for i, pair := range pairs {
		key, value, err := member(pair)
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("%q: the key is given twice", key)
		}
		seen[key] = true
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(jsonString(key))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func member(pair string) (key string, value []byte, err error) {
	if !utf8.ValidString(pair) {
		return "", nil, fmt.Errorf("%q: not UTF-8", pair)
	}
	key, text, ok := strings.Cut(pair, "=")
	raw := strings.HasSuffix(key, ":")
	key = strings.TrimSuffix(key, ":")
	switch {
	case !ok:
		return "", nil, fmt.Errorf("%q: want KEY=VALUE or KEY:=JSON", pair)
	case key == "":
		return "", nil, fmt.Errorf("%q: the key is empty", pair)
	case raw && !json.Valid([]byte(text)):
		return "", nil, fmt.Errorf("%q: what follows := is not JSON", pair)
	case raw, isPlain(text):
		return key, []byte(text), nil
	}
	return key, jsonString(text), nil
}

// isPlain says whether a value stays what it is in JSON: a number, true, false
// or null.
func isPlain(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	case "":
		return false
	}
	first, last := text[0], text[len(text)-1]
	number := (first == '-' || isDigit(first)) && isDigit(last)
	return number && json.Valid([]byte(text))
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isObject(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") && json.Valid([]byte(text))
}

func jsonString(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
