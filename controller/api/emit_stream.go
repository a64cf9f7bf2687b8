package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// EmitStream sends events as they come and gives each answer to each, in order, as
// soon as it is there: the event is on disk then. how has for what to wait, and no
// events. It returns nil once all are answered, and else what has stopped it: the
// *Problem of the first event that was not taken, an error of each, ErrLate, or that of
// the connection. What has no answer then may be on disk or not; to send it again counts
// nothing twice if its events have ids of the caller's.
//
// events is read by a goroutine of EmitStream's, which has ended when that returns:
// it must not block for longer than ctx lasts.
func (c *Client) EmitStream(ctx context.Context, events iter.Seq[Event], how EmitRequest, each func(EmittedLine) error) error {
	ctx, cancel := c.attended(ctx)
	body, lines := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := writeEvents(ctx, lines, events)
		_ = lines.CloseWithError(err) // nil ends the body
		done <- err
	}()
	err := inTime(ctx, c.readAnswers(ctx, body, how, each))
	cancel()
	_ = body.CloseWithError(context.Canceled) // a write under way ends
	if unsent := <-done; err == nil {
		err = unsent
	}
	return err
}

func writeEvents(ctx context.Context, w io.Writer, events iter.Seq[Event]) error {
	text := json.NewEncoder(w)
	for e := range events {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e.ID == "" {
			e.ID = NewEventID(time.Now())
		}
		if err := text.Encode(e); err != nil {
			return fmt.Errorf("send event %s: %w", e.ID, err)
		}
	}
	return nil
}

func (c *Client) readAnswers(ctx context.Context, body io.Reader, how EmitRequest, each func(EmittedLine) error) error {
	q := url.Values{}
	if how.Wait != "" {
		q.Set("wait", how.Wait)
		q.Set("wait_millis", strconv.FormatInt(how.WaitMillis, 10))
	}
	res, err := c.send(ctx, http.MethodPost, "/v1/events?"+q.Encode(), linesType, body, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if line = bytes.TrimSpace(line); errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ask %s: read the answer: %w", c.at, err)
		}
		var a EmittedLine
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("ask %s: read the answer: %w", c.at, err)
		}
		if a.Problem != nil {
			return a.Problem
		}
		if err := each(a); err != nil {
			return err
		}
	}
}
