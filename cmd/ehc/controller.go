package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ehc/controller/api"
)

// apiFlag names the controller to ask.
const apiFlag = "api"

// How long the answer to one question may take. A plan may have to wait for lookups
// and then for probes, an apply for lookups before and after the file is in force:
// the controller gives up on any of them at 50 seconds.
const (
	askLimit  = 30 * time.Second
	planLimit = 55 * time.Second
)

// controllerOf returns a client of the controller that -api, EHC_API or EHC_DATA
// names. The caller closes it.
func controllerOf(c *cobra.Command, s *streams) (*api.Client, error) {
	at, err := addressOf(c, s)
	if err != nil {
		return nil, err
	}
	return s.client(at)
}

// answerOf asks the controller that controllerOf gives one question.
func answerOf[A any](c *cobra.Command, s *streams, question func(*api.Client, context.Context) (A, error)) (A, error) {
	client, err := controllerOf(c, s)
	if err != nil {
		var none A
		return none, err
	}
	defer client.Close()
	return limited(c.Context(), func(ctx context.Context) (A, error) { return question(client, ctx) })
}

// caVariable names a PEM file with the CAs to trust over https, and no other.
const caVariable = "EHC_API_CA_FILE"

// client is one of the controller at an address, with the token of the environment.
func (s *streams) client(at api.Address) (*api.Client, error) {
	if !at.IsTCP() {
		return api.NewClient(at), nil
	}
	token, err := tokenOf(s.env)
	if err != nil {
		return nil, err
	}
	options := []api.ClientOption{api.WithToken(token)}
	if path := s.getenv(caVariable); at.IsTLS() && path != "" {
		text, err := readFile(path, maxConfigBytes)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", caVariable, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read %s: %s has no certificate in PEM", caVariable, path)
		}
		options = append(options, api.WithCAs(pool))
	}
	return api.NewClient(at, options...), nil
}

func addressOf(c *cobra.Command, s *streams) (api.Address, error) {
	given, err := c.Flags().GetString(apiFlag)
	if err != nil {
		return api.Address{}, err
	}
	if given == "" {
		given = s.getenv("EHC_API")
	}
	if given != "" {
		return api.ParseAddress(given)
	}
	if dir := s.getenv("EHC_DATA"); dir != "" {
		return api.SocketIn(dir), nil
	}
	return api.Address{}, errors.New("no controller is named: give -api unix:PATH, or set EHC_API, or set EHC_DATA" +
		" to the data folder of one that was started with: ehc run -config cluster.hcl -data DIR")
}

// maxConfigBytes bounds a cluster.hcl. The language has a smaller bound of its
// own, with a better message.
const maxConfigBytes = 1 << 20

// readFile returns the file at path, which may have at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("read %s: over %d bytes", path, limit)
	}
	return content, nil
}

// configFor reads the file at path as a controller is to get it: with its whole
// path, because a controller has another working folder. The empty path stands
// for the file in force and gives nothing.
func configFor(path string) (file, text string, err error) {
	if path == "" {
		return "", "", nil
	}
	content, err := readFile(path, maxConfigBytes)
	if err != nil {
		return "", "", err
	}
	if len(content) == 0 {
		return "", "", fmt.Errorf("%s is empty", path) // an empty text would mean the file in force
	}
	file, err = filepath.Abs(path)
	return file, string(content), err
}

// limited calls f with the deadline of a question.
func limited[A any](ctx context.Context, f func(context.Context) (A, error)) (A, error) {
	return within(ctx, askLimit, f)
}

// within calls f with a deadline.
func within[A any](ctx context.Context, most time.Duration, f func(context.Context) (A, error)) (A, error) {
	limit, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return f(limit)
}

// answered says whether err leaves no doubt that the controller did not do what
// it was asked: it refused, or there is none.
func answered(err error) bool {
	var refused *api.Problem
	return errors.As(err, &refused) && !errors.Is(err, api.ErrUnknownOutcome) || errors.Is(err, api.ErrNoController)
}

// cause says in short why there was no answer.
func cause(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "the controller has not answered in time"
	}
	return err.Error()
}
