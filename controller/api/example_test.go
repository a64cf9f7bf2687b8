package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"ehc/controller/api"
)

// app is a controller in place of a real one: one app is connected, and has the
// counter visits:/blog.
type app struct {
	api.Backend
	visits int64
}

func (a *app) Emit(_ context.Context, r api.EmitRequest) (api.Emitted, error) {
	a.visits++
	return api.Emitted{IDs: []string{r.Events[0].ID}, Outcomes: []string{api.OutcomeDelivered}, Delivered: true}, nil
}

func (a *app) Counts(_ context.Context, q api.CountsQuery) (api.Counts, error) {
	if q.App == "billing" {
		return api.Counts{}, api.NewProblem(http.StatusServiceUnavailable, "billing: no node is connected").Because(api.ReasonDisconnected)
	}
	return api.Counts{Counts: []api.Count{{Key: q.Key, Count: a.visits}}, Node: "phoenix@10.0.0.7"}, nil
}

// A Go program counts a visit, and reads the counter from the app.
func ExampleClient() {
	dir, err := os.MkdirTemp("", "ehc-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	stop := controller(dir)
	defer stop()

	ctx := context.Background()
	client := api.NewClient(api.SocketIn(dir)) // the data folder of ehc run
	defer client.Close()
	visit, err := client.IncrementVisit(ctx, "/blog", 1)
	fmt.Println(visit.Outcome, err)
	visits, err := client.RealtimeCount(ctx, "", "visits:/blog")
	fmt.Println(visits, err)
	_, err = client.RealtimeCount(ctx, "billing", "invoices:2026")
	fmt.Println(errors.Is(err, api.ErrDisconnected), err)
	// Output:
	// delivered <nil>
	// 1 <nil>
	// true billing: no node is connected
}

// controller serves an app at the socket in dir until stop is called.
func controller(dir string) (stop func()) {
	l, err := api.SocketIn(dir).Listen()
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, api.Handler(&app{}, api.Options{})) }()
	return func() { cancel(); <-done }
}
