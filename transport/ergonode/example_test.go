package ergonode_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
)

// A program that joins the network beside the node shop@127.0.0.1, calls it, and
// answers GenServer.call({:greeter, :"tool@127.0.0.1"}, "Joe").
func Example() {
	if err := visit(); err != nil {
		fmt.Println(err)
	}
}

func visit() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	node, err := ergonode.Start(ctx, ergonode.Options{
		Name:    "tool@127.0.0.1",
		Cookies: []transport.Cookie{transport.NewCookie(os.Getenv("RELEASE_COOKIE"))},
		Servers: map[string]transport.Handler{
			"greeter": func(_ context.Context, from string, args []transport.Term) (transport.Term, error) {
				return fmt.Sprintf("hello %v at %s", args[0], from), nil
			},
		},
	})
	if err != nil {
		return err
	}
	defer node.Stop()

	shop, err := node.Dial(ctx, transport.Target{Node: "shop@127.0.0.1"})
	if err != nil {
		return fmt.Errorf("%s: %w", transport.Reason(err), err) // CookieRejected, NotListed, Unreachable …
	}
	total, err := shop.Call(ctx, "lists", "sum", etf.List{1, 2.5})
	if err != nil {
		return err
	}
	fmt.Println(total)

	_, err = shop.Call(ctx, "erlang", "binary_to_integer", "twelve")
	if raised := (*transport.RaisedError)(nil); errors.As(err, &raised) {
		fmt.Println(raised.Class, raised.Text)
	}
	return nil
}
