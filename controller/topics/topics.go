// Package topics hands on what Phoenix.PubSub brings to any number of readers.
//
//	Heard ──▶ inbox ──▶ Run: JSON, a number ──▶ window ──▶ Reader ──▶ Next
//	 │ not kept: dropped │ full: lost             │ the last messages, for all readers
//
// A message is kept if a pattern of its server has its topic. The window holds the
// last messages of all topics, bounded in number and bytes. A reader has a place in
// it for each message that is for it, nothing more: one that is slower than what
// comes loses what has left the window in the meantime, and is told how much, and
// nobody waits for it. By the number of the last message that it got a reader
// resumes, as long as the window reaches back.
//
// It keeps nothing on disk: PubSub is at most once.
package topics

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ehc/controller/termjson"
	"ehc/transport"
	"ehc/transport/pubsub"
)

// Limits of a Hub.
const (
	WindowMessages = 1024     // messages kept
	WindowBytes    = 16 << 20 // of their JSON
	MaxMessage     = 1 << 20  // bytes of one message's JSON; a larger one is lost
	inboxSize      = 4096     // messages that wait for Run
	inboxBytes     = 64 << 20 // of them, as they were on the wire
)

// Message is one broadcast.
type Message struct {
	ID     string // by which a reader resumes after it
	At     time.Time
	Server string
	Topic  string
	Node   string // from which it came
	// Event is the event of a %Phoenix.Socket.Broadcast{}, whose payload is Data; empty
	// for any other message, of which Data is the whole.
	Event string
	Data  json.RawMessage

	seq uint64
}

// Hub takes messages and hands them to readers. Its methods may be called at once;
// Heard never blocks.
type Hub struct {
	epoch string // of the ids: those of a hub before this one mean nothing here
	inbox chan heard
	keep  atomic.Pointer[map[string][]string] // patterns by server
	lost  atomic.Uint64                       // that the inbox had no room for
	waits atomic.Int64                        // bytes in the inbox

	mu     sync.Mutex
	window window
	groups map[filter]*group
	over   bool
}

// heard is a message that has just come.
type heard struct {
	transport.PubSubMessage
	at time.Time
}

// filter is what a reader is for.
type filter struct{ server, pattern string }

// group is the readers of one filter, so that it is looked at once for all of them.
type group struct{ readers map[*Reader]struct{} }

// New returns a hub that keeps nothing yet. Its owner calls Run.
func New() *Hub {
	h := &Hub{epoch: rand.Text()[:8], inbox: make(chan heard, inboxSize), groups: map[filter]*group{}}
	h.Keep(nil)
	return h
}

// Keep sets of which topics messages are kept from now on: patterns by server. It
// takes the map.
func (h *Hub) Keep(patterns map[string][]string) { h.keep.Store(&patterns) }

// Keeps says whether messages of a topic are kept. Of a pattern it says whether any
// could be, by what stands before the first * of both.
func (h *Hub) Keeps(server, topic string) bool {
	for _, p := range (*h.keep.Load())[server] {
		if overlap(p, topic) {
			return true
		}
	}
	return false
}

// overlap says whether two patterns may have a topic in common: not that they do.
func overlap(a, b string) bool {
	first, _, starA := strings.Cut(a, "*")
	second, _, starB := strings.Cut(b, "*")
	switch {
	case !starA:
		return Match(b, a)
	case !starB:
		return Match(a, b)
	}
	return strings.HasPrefix(first, second) || strings.HasPrefix(second, first)
}

// Fate is what becomes of a message that is heard.
type Fate uint8

// The fates.
const (
	Dropped Fate = iota // no pattern has it
	Lost                // there was no room
	Kept
)

// Heard takes a message, if it is to be kept, and says what becomes of it.
func (h *Hub) Heard(m transport.PubSubMessage, now time.Time) Fate {
	kept := false
	for _, p := range (*h.keep.Load())[m.Server] {
		if kept = Match(p, m.Topic); kept {
			break
		}
	}
	if !kept {
		return Dropped
	}
	fate := Kept
	if m.Size > MaxMessage { // those whom it is for are told, without it
		m.Message, m.Size, fate = nil, 0, Lost
	}
	if h.waits.Add(int64(m.Size)) <= inboxBytes {
		select {
		case h.inbox <- heard{m, now}:
			return fate
		default:
		}
	}
	h.waits.Add(int64(-m.Size))
	h.lost.Add(1)
	return Lost
}

// Run hands messages on until ctx ends; then every reader has come to its end.
func (h *Hub) Run(ctx context.Context) {
	defer h.close()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-h.inbox:
			h.waits.Add(int64(-m.Size))
			h.publish(messageOf(m))
		}
	}
}

// messageOf is what readers get. One without Data is too large for them.
func messageOf(m heard) *Message {
	out := &Message{At: m.at, Server: m.Server, Topic: m.Topic, Node: m.Node}
	if m.Message == nil { // which no term is
		return out
	}
	if e, ok := pubsub.EventOf(m.Message); ok {
		out.Event, out.Data = e.Event, termjson.Encode(e.Payload)
		return out
	}
	out.Data = termjson.Encode(m.Message)
	return out
}

// publish puts a message into the window and tells those whom it is for.
func (h *Hub) publish(m *Message) {
	lost := h.lost.Swap(0)
	h.mu.Lock()
	defer h.mu.Unlock()
	large := len(m.Data) == 0 || len(m.Data) > MaxMessage
	if !large {
		h.window.add(m)
		m.ID = h.epoch + "-" + strconv.FormatUint(m.seq, 10)
	}
	for f, g := range h.groups {
		is := f.has(m)
		if lost == 0 && !is {
			continue
		}
		for r := range g.readers {
			r.lost += lost
			switch {
			case is && large:
				r.lost++
			case is:
				r.queue = append(r.queue, m.seq)
				r.trim()
			}
			r.wake()
		}
	}
}

func (f filter) has(m *Message) bool { return f.server == m.Server && Match(f.pattern, m.Topic) }

func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	for _, g := range h.groups {
		for r := range g.readers {
			r.wake()
		}
	}
}

// Match says whether a pattern has a topic: * is any characters, also none, and
// every other character is itself.
func Match(pattern, topic string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == topic
	}
	topic, ok := strings.CutPrefix(topic, first)
	for ok && star {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star { // the last part ends the topic
			return strings.HasSuffix(topic, part)
		}
		at := strings.Index(topic, part)
		if ok = at >= 0; ok {
			topic = topic[at+len(part):]
		}
	}
	return ok
}

// seqOf is the number in an id of this hub's.
func (h *Hub) seqOf(id string) (uint64, error) {
	number, ok := strings.CutPrefix(id, h.epoch+"-")
	n, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("id %q is of no message that this controller has handed on", id)
	}
	return n, nil
}
