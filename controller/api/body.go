package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// readJSON reads the one JSON value of a body.
func readJSON[Q any](w http.ResponseWriter, r *http.Request) (Q, error) {
	var q Q
	d := json.NewDecoder(&modest{body: http.MaxBytesReader(w, r.Body, maxBody)})
	d.DisallowUnknownFields()
	err := d.Decode(&q)
	if err == nil {
		_, err = d.Token()
		switch {
		case err == nil:
			return q, NewProblem(http.StatusBadRequest, "read request body: more than one JSON value")
		case errors.Is(err, io.EOF):
			err = nil
		}
	}
	return q, bodyProblem(err)
}

// bodyProblem is what a client is told of a body that cannot be read; nil for nil.
func bodyProblem(err error) error {
	var large *http.MaxBytesError
	var problem *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &large):
		return NewProblem(http.StatusRequestEntityTooLarge, "request body is over %d bytes", large.Limit)
	case errors.Is(err, io.EOF):
		return NewProblem(http.StatusBadRequest, "read request body: it is empty, want JSON")
	}
	return NewProblem(http.StatusBadRequest, "read request body: %s", jsonFault(err))
}

// jsonFault is what is wrong with JSON, without the names that Go has for it.
func jsonFault(err error) string {
	var kind *json.UnmarshalTypeError
	var noTime *time.ParseError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the JSON ends too early"
	case errors.As(err, &noTime):
		return fmt.Sprintf("%s is no time: want RFC 3339, such as 2026-11-27T05:00:00Z", strings.Trim(noTime.Value, `"`))
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Sprintf("it is a JSON %s, want %s", kind.Value, jsonKind(kind.Type))
	case errors.As(err, &kind):
		field := strings.TrimPrefix(kind.Field, "Event.") // of an emitBody
		return fmt.Sprintf("%s: it is a JSON %s, want %s", strings.TrimPrefix(field, "EmitRequest."), kind.Value, jsonKind(kind.Type))
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// jsonKind is what a value of a type is in JSON.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonKind(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number within its bounds" // there are no others
}

// maxList is how many elements a list of a request may have, be they events, ids or
// arguments. Two bytes of JSON may take a hundred times as many in memory.
const maxList = 100_000

// modest reads a JSON body up to a list that is too long: an array in the object that
// the body is. Deeper ones are kept as they came.
type modest struct {
	body io.Reader

	depth   int
	isArray bool // what is at depth 2
	commas  int  // in it
	quoted  bool // within a string
	escaped bool // behind a backslash there
}

// Read reads the body; its error is a *Problem for a list that is too long.
func (m *modest) Read(b []byte) (int, error) {
	n, err := m.body.Read(b)
	for _, c := range b[:n] {
		if m.quoted {
			m.quoted, m.escaped = m.escaped || c != '"', !m.escaped && c == '\\'
			continue
		}
		switch c {
		case '"':
			m.quoted = true
		case '{', '[':
			if m.depth++; m.depth == 2 {
				m.isArray, m.commas = c == '[', 0
			}
		case '}', ']':
			m.depth--
		case ',':
			if m.depth == 2 && m.isArray {
				m.commas++
			}
		}
		if m.commas >= maxList {
			return 0, NewProblem(http.StatusRequestEntityTooLarge, "a list in the request body has over %d elements", maxList)
		}
	}
	return n, err
}
