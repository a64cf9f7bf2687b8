package beam

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// keepOutput is how much of a node's output is kept, in bytes.
const keepOutput = 256 << 10

// answer is what an expression came to.
type answer struct {
	text string
	err  error
}

// ask writes an expression; the channel gives its answer.
func (r *run) ask(expr string) (<-chan answer, error) {
	got := make(chan answer, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.ended:
		return nil, errEnded
	default:
	}
	r.last++
	id := strconv.Itoa(r.last)
	r.waiting[id] = got
	_, err := fmt.Fprintf(r.stdin, "%s %s\n", id, base64.StdEncoding.EncodeToString([]byte(expr)))
	if err != nil {
		delete(r.waiting, id)
		return nil, fmt.Errorf("%w: %w", errEnded, err)
	}
	return got, nil
}

// read takes the node's output until it ends, and parts answers from the rest.
func (r *run) read(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		// Something else may have printed without an end of line before.
		said, reply, found := strings.Cut(line, marker+" ")
		r.mu.Lock()
		r.output.add(said)
		if found {
			r.deliver(strings.TrimSpace(reply))
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// deliver completes the expression that a reply is for; the lock is held.
func (r *run) deliver(reply string) {
	f := strings.SplitN(reply, " ", 3)
	if len(f) < 2 {
		return
	}
	f = append(f, "")
	text, err := base64.StdEncoding.DecodeString(f[2])
	a := answer{text: string(text), err: err}
	if err == nil && f[1] != "ok" {
		a = answer{err: errors.New(string(text))}
	}
	if got := r.waiting[f[0]]; got != nil {
		delete(r.waiting, f[0])
		got <- a
	}
}

// output keeps the tail of what was printed.
type output struct {
	kept []byte
	cut  bool
}

func (o *output) add(s string) {
	o.kept = append(o.kept, s...)
	if extra := len(o.kept) - keepOutput; extra > 0 {
		o.kept = append(o.kept[:0], o.kept[extra:]...)
		o.cut = true
	}
}

func (o *output) String() string {
	if o.cut {
		return "[…]" + string(o.kept)
	}
	return string(o.kept)
}
