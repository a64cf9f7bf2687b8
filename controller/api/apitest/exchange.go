package apitest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Request says why a request is not as described; nil if it is.
func (d *Description) Request(method string, u *url.URL, kind string, body []byte) error {
	o, err := d.operation(method, u.EscapedPath())
	if err != nil {
		return err
	}
	what := method + " " + u.RequestURI()
	for name, values := range u.Query() {
		schema := o.parameters[name]
		if schema == nil || len(values) != 1 {
			return fmt.Errorf("%s: parameter %s, %d times: %w", what, name, len(values), errUndescribed)
		}
		if err := checkParameter(schema, values[0]); err != nil {
			return fmt.Errorf("%s: parameter %s: %w", what, name, err)
		}
	}
	for _, name := range o.required {
		if !u.Query().Has(name) {
			return fmt.Errorf("%s: parameter %s is missing", what, name)
		}
	}
	if o.node["requestBody"] == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s: a body: %w", what, errUndescribed)
		}
		return nil
	}
	return d.content(what, o.at+"/requestBody", kind, body)
}

// Response says why an answer to a request is not as described; nil if it is.
func (d *Description) Response(method string, u *url.URL, status int, kind string, body []byte) error {
	o, err := d.operation(method, u.EscapedPath())
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s %s: %d", method, u.RequestURI(), status)
	responses := object(o.node["responses"])
	at := o.at + "/responses/" + strconv.Itoa(status)
	if responses[strconv.Itoa(status)] == nil {
		if status < http.StatusBadRequest || responses["default"] == nil {
			return fmt.Errorf("%s: %w", what, errUndescribed)
		}
		at = o.at + "/responses/default"
	}
	return d.content(what, at, kind, body)
}

// content holds a body against what stands under content at a pointer.
func (d *Description) content(what, at, kind string, body []byte) error {
	node, at, err := d.resolve(at)
	if err != nil {
		return err
	}
	kind, _, _ = strings.Cut(kind, ";")
	media := object(object(node["content"])[kind])
	if media == nil {
		return fmt.Errorf("%s: content type %q: %w", what, kind, errUndescribed)
	}
	at += pointer("content", kind)
	under := "/schema"
	if media[itemSchema] != nil {
		under = "/" + itemSchema
	} else if !isJSON(kind) {
		return nil // text, of which a schema says nothing
	}
	schema, err := d.compile(at + under)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, item := range split(kind, body) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(item))
		if err != nil {
			return fmt.Errorf("%s: %w: %q", what, err, item)
		}
		if err := schema.Validate(v); err != nil {
			return fmt.Errorf("%s: %w: %s", what, err, item)
		}
	}
	return nil
}

func isJSON(kind string) bool {
	return strings.HasSuffix(kind, "json") && !strings.HasSuffix(kind, "ndjson")
}

// split is a body as the values that its schema is of.
func split(kind string, body []byte) [][]byte {
	switch kind {
	case "application/x-ndjson":
		var lines [][]byte
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				lines = append(lines, line)
			}
		}
		return lines
	case "text/event-stream":
		return eventData(body)
	}
	return [][]byte{body}
}

// eventData is the data of each whole event.
func eventData(body []byte) [][]byte {
	var all [][]byte
	blocks := bytes.Split(body, []byte("\n\n"))
	for _, block := range blocks[:len(blocks)-1] {
		var data [][]byte
		for line := range bytes.SplitSeq(block, []byte("\n")) {
			if text, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				data = append(data, text)
			}
		}
		if data != nil {
			all = append(all, bytes.Join(data, []byte("\n")))
		}
	}
	return all
}

// checkParameter takes the text of a parameter as JSON, or else as a string: 7 may
// be either.
func checkParameter(schema *jsonschema.Schema, text string) error {
	if v, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil && schema.Validate(v) == nil {
		return nil
	}
	return schema.Validate(text)
}
