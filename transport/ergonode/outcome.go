package ergonode

import (
	"fmt"

	"ehc/transport"
	"ehc/transport/etf"
)

// outcome reads an exit reason:
//
//	{Ref, return, Value}                                  the value
//	{Ref, throw | exit, Reason}                           *RaisedError
//	{Ref, error, Reason, Stack}   {Ref, error, Reason}    *RaisedError
//	anything else                                         *SignalError: the process was killed
func (l *link) outcome(payload []byte, ref etf.Ref) result {
	d := l.decoder
	arity, rest, err := d.TupleHeader(payload)
	if err != nil || arity < 3 {
		return l.signal(payload)
	}
	got, rest, err := d.Ref(rest)
	if err != nil || got != ref {
		return l.signal(payload)
	}
	class, rest, err := d.Atom(rest)
	if err != nil {
		return l.signal(payload)
	}
	value, rest, err := d.Term(rest)
	if err != nil {
		return result{err: fmt.Errorf("result: %w", err)}
	}
	if class == "return" {
		return result{value: value}
	}
	raised := &transport.RaisedError{Class: string(class), Reason: value, Text: etf.Text(value)}
	if class == "error" {
		raised.Stack = etf.List{}
		if arity > 3 {
			if raised.Stack, _, err = d.Term(rest); err != nil {
				return result{err: fmt.Errorf("stack: %w", err)}
			}
		}
	}
	return result{err: raised}
}

// signal is the exit reason of a process that gave no result.
func (l *link) signal(payload []byte) result {
	reason, _, err := l.decoder.Term(payload)
	if err != nil {
		return result{err: fmt.Errorf("exit reason: %w", err)}
	}
	return result{err: &transport.SignalError{Reason: reason, Text: etf.Text(reason)}}
}
