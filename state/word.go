package state

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// CheckWord says why s cannot be a word that is kept and shown, such as an id:
// it is empty, longer than most bytes, not UTF-8, or would garble the line in
// which it is printed. nil if it can. The error follows what the word is called:
// "is empty".
func CheckWord(s string, most int) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case len(s) > most:
		return fmt.Errorf("of %d bytes: at most %d", len(s), most)
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%q holds what cannot be printed", s)
		}
	}
	return nil
}
