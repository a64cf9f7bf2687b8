package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errNotApproved ends an apply that a person did not approve.
var errNotApproved = errors.New("not approved: nothing was changed")

// approve asks a person, who has to type yes. Without a terminal nobody is
// asked, and the error names the flag that approves instead.
func (s *streams) approve(ctx context.Context, question string) error {
	if !s.isTTY {
		return fmt.Errorf("%s Nobody can be asked without a terminal: give -auto-approve if it is approved", question)
	}
	text := fmt.Sprintf("\n%s\nOnly 'yes' will be accepted: ", question)
	if _, err := io.WriteString(s.out, text); err != nil {
		return err
	}
	answer, err := bufio.NewReader(io.LimitReader(interruptible{ctx, s.in}, 1<<10)).ReadString('\n')
	if err != nil {
		_, _ = io.WriteString(s.out, "\n") // the question's line has no end yet
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errNotApproved
	}
	return nil
}
