package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	quietAfter = 10 * time.Second // of an answer, before the client asks whether the controller lives
	pulseLimit = 10 * time.Second // of the answer to that
)

// attended is a ctx that ends, with a lateError for its cause, when the controller has
// not answered for quietAfter and then shows no life for pulseLimit: its process is
// stopped, or the network swallows what is sent. An answer may take as long as rpc.timeout
// of cluster.hcl, which the client does not know, so that only this tells who waits from
// who hangs. The caller calls done in the end.
func (c *Client) attended(ctx context.Context) (attended context.Context, done func()) {
	ctx, end := context.WithCancelCause(ctx)
	over := make(chan struct{})
	quiet := time.AfterFunc(quietAfter, func() {
		defer close(over)
		for c.lives(ctx) {
			if pause(ctx, quietAfter) != nil {
				return
			}
		}
		end(&lateError{at: c.at, err: context.DeadlineExceeded})
	})
	return ctx, func() {
		end(nil)
		if !quiet.Stop() {
			<-over
		}
	}
}

// lives asks the controller for the least. Only silence is no life: who refuses a
// connection or breaks it ends the request that waits, too.
func (c *Client) lives(ctx context.Context) bool {
	limit, cancel := context.WithTimeout(ctx, pulseLimit)
	defer cancel()
	res, err := c.send(limit, http.MethodGet, "/v1/version", "", http.NoBody, nil)
	if err == nil {
		return res.Body.Close() == nil
	}
	var network net.Error
	return ctx.Err() != nil || !errors.As(err, &network) || !network.Timeout()
}

// inTime is err, or the lateError that has ended ctx and so caused it.
func inTime(ctx context.Context, err error) error {
	var late *lateError
	if err != nil && errors.As(context.Cause(ctx), &late) {
		return late
	}
	return err
}
