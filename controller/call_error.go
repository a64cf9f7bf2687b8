package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ehc/controller/api"
	"ehc/controller/termjson"
	"ehc/state"
	"ehc/transport"
	"ehc/transport/etf"
)

// callError is why a call gave no value. word is a reason of package api.
type callError struct {
	word string
	text string

	remote *api.RemoteError // with api.ReasonRemote
	reason etf.Term         // the same as a term
}

func (e *callError) Error() string { return e.text }

func notAllowed(f state.Callable) error {
	return &callError{word: api.ReasonNotAllowed, text: fmt.Sprintf(
		"%s may not be called: add it to cluster.hcl: rpc { allow = [%q] }", f, f)}
}

// disconnected says that whom cannot be called, and why that is if it is known.
func disconnected(whom, why string) error {
	text := whom + ": no node is connected"
	if strings.Contains(whom, "@") {
		text = whom + ": not connected"
	}
	if why != "" {
		text += "; " + why
	}
	return &callError{word: api.ReasonDisconnected, text: text}
}

// called is the error of a call that was sent, or perhaps was.
func called(ctx context.Context, node state.Node, f state.Callable, limit time.Duration, err error) error {
	e := &callError{word: api.ReasonRemote, text: err.Error()}
	var raised *transport.RaisedError
	var signal *transport.SignalError
	var spawn *transport.SpawnError
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // nobody waits for it any more, or ehc stops
		return ctx.Err()
	case errors.As(err, &raised):
		e.blame(node, raised.Class, raised.Reason, frames(raised.Stack)...)
	case errors.As(err, &signal):
		e.blame(node, "killed", signal.Reason)
	case errors.As(err, &spawn):
		e.blame(node, "not_started", etf.Atom(spawn.Reason))
	case errors.Is(err, context.DeadlineExceeded):
		e.word, e.text = api.ReasonTimedOut, fmt.Sprintf("%s on %s: no answer within %s; whether it has run is not known", f, node, limit)
	case transport.Cause(err) != nil:
		e.word, e.text = api.ReasonConnectionLost, fmt.Sprintf("%s on %s: the connection was lost; whether it has run is not known", f, node)
	default: // an answer beyond the limits of what is read
		e.blame(node, "answer", err.Error())
	}
	return e
}

// wrongAnswer is the error of a function that returned what it must not.
func wrongAnswer(node state.Node, f state.Callable, value etf.Term, want string) error {
	e := &callError{word: api.ReasonRemote, text: fmt.Sprintf("%s on %s answered %s: want %s", f, node, etf.Text(value), want)}
	e.blame(node, "answer", value)
	return e
}

func (e *callError) blame(node state.Node, class string, reason etf.Term, stack ...string) {
	e.reason = reason
	e.remote = &api.RemoteError{
		Node: string(node), Class: class, Reason: etf.Text(reason), Value: termjson.Encode(reason), Stack: stack,
	}
}

// callProblem is err with the HTTP status that it deserves.
func callProblem(err error) error {
	var e *callError
	if !errors.As(err, &e) {
		return err
	}
	status := http.StatusServiceUnavailable
	switch e.word {
	case api.ReasonNotAllowed:
		status = http.StatusForbidden
	case api.ReasonTimedOut:
		status = http.StatusGatewayTimeout
	case api.ReasonRemote:
		status = http.StatusBadGateway
	}
	p := api.NewProblem(status, "%s", e.text).Because(e.word)
	p.Remote = e.remote
	return p
}

const maxFrames = 32

// frames are the lines of a stack trace, innermost first: without arguments, which
// are the callers' data.
func frames(stack etf.Term) []string {
	list, _ := stack.(etf.List)
	var lines []string
	for _, t := range list[:min(len(list), maxFrames)] {
		if line := frame(t); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// frame reads {Module, Function, Arity | Arguments, [{file, Name}, {line, N}]}.
func frame(t etf.Term) string {
	f, ok := t.(etf.Tuple)
	if !ok || len(f) != 4 {
		return ""
	}
	module, _ := f[0].(etf.Atom)
	function, _ := f[1].(etf.Atom)
	arity, _ := f[2].(int)
	if args, ok := f[2].(etf.List); ok {
		arity = len(args)
	}
	text := state.Callable{Module: string(module), Name: string(function), Arity: arity}.String()
	file, line := "", 0
	where, _ := f[3].(etf.List)
	for _, t := range where {
		pair, ok := t.(etf.Tuple)
		switch {
		case !ok || len(pair) != 2:
		case pair[0] == etf.Term(etf.Atom("file")):
			chars, _ := pair[1].(etf.List)
			file, _ = charlist(chars)
		case pair[0] == etf.Term(etf.Atom("line")):
			line, _ = pair[1].(int)
		}
	}
	if file == "" {
		return text
	}
	return fmt.Sprintf("%s (%s:%d)", text, file, line)
}
