package etf

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// FitError says which part of a Go value is no term, or which part of a term does
// not fit the Go value that it was for. It shows atoms and integers, and nothing of
// binaries.
type FitError struct {
	// Path leads there from the whole: "payload.delta", "items[3].key", "" for the
	// whole itself. Fields have the names of their tags.
	Path string
	// What says what does not fit: "300 does not fit int8".
	What string
	// Cause is ErrDepth, the *ValueError of an atom or a float, or nil.
	Cause error
}

// Error returns the path and what does not fit there.
func (e *FitError) Error() string {
	if e.Path == "" {
		return e.What
	}
	return e.Path + ": " + e.What
}

// Unwrap returns the cause.
func (e *FitError) Unwrap() error { return e.Cause }

// misfit makes a FitError.
func misfit(format string, args ...any) error {
	return &FitError{What: fmt.Sprintf(format, args...)}
}

// invalid makes a FitError of a ValueError.
func invalid(err error) error {
	var v *ValueError
	if !errors.As(err, &v) {
		return err
	}
	return &FitError{What: v.What, Cause: v}
}

// under puts a step before the path of an error.
func under(step string, err error) error {
	var e *FitError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Path == "", strings.HasPrefix(e.Path, "["):
		e.Path = step + e.Path
	default:
		e.Path = step + "." + e.Path
	}
	return e
}

func underIndex(i int, err error) error { return under(fmt.Sprintf("[%d]", i), err) }

// underKey shows a key in short.
func underKey(key Term, err error) error {
	const most = 40
	s := Text(key)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return under("["+s+"]", err)
}

func tooDeepToFit() error {
	return &FitError{What: fmt.Sprintf("more than %d containers deep", MaxDepth), Cause: ErrDepth}
}

// no says that a term is not of the kind that is wanted.
func no(t Term, want string) error { return misfit("%s is no %s", kindOf(t), want) }

// kindOf names the kind of a term.
func kindOf(t Term) string {
	switch v := t.(type) {
	case Atom:
		return "the atom " + Text(v)
	case int, *big.Int:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a binary"
	case BitString:
		return "a bit string"
	case Tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case List:
		return "a list"
	case ImproperList:
		return "an improper list"
	case Map:
		if name, ok := v.Get(Atom(structKey)); ok {
			return "a struct " + Text(name)
		}
		return "a map"
	case Pid:
		return "a pid"
	case Ref:
		return "a reference"
	}
	return fmt.Sprintf("a term of Go type %T", t)
}
