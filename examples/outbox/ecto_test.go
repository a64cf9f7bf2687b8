package outbox_test

import (
	"path/filepath"
	"testing"

	"ehc/transport/transporttest/beam"
)

// TestEctoVersion runs it on a stand-in for Ecto. That the database does what the
// stand-in does is not shown here.
func TestEctoVersion(t *testing.T) {
	code := beam.CompileElixir(t, filepath.Join("testdata", "fake_ecto.ex"), "remote_handler_ecto.ex", "create_processed_events.exs")
	n := beam.Start(t, beam.Options{Name: "ecto@127.0.0.1", Cookie: "c", Elixir: true, Paths: []string{code}})
	n.Eval(`EventHorizon.Repo.Migrations.CreateProcessedEvents.change()
{:ok, _} = MyApp.Repo.start(Process.get(:schema))`)

	const prelude = `alias EventHorizon.Remote.Handler
alias MyApp.Repo
visit = fn id, page, n -> %{event_id: id, type: :increment_visit, payload: %{page_id: page, delta: n}, inserted_at: DateTime.utc_now()} end
odd = %{event_id: "odd", type: :teleport, payload: %{}, inserted_at: DateTime.utc_now()}
ids = fn -> for {{_, [id]}, _} <- Repo.rows("processed_events"), do: id end
value = fn page -> Repo.rows("counters")[{"counters", ["visits", page]}][:value] end
steps = fn -> Enum.map(Repo.calls(), fn {t, row} when is_list(row) -> {t, row[:event_id] || row[:key]}; step -> step end) end
_ = {Handler, visit, odd, ids, value, steps}
`
	for _, c := range []struct{ name, expr, want string }{
		{"the id goes in before the effect, and both in one transaction",
			`{Handler.handle_buffered_event(visit.("a", "/", 2)), value.("/"), steps.()}`,
			`{:ok, 2, [:begin, {"processed_events", "a"}, {"counters", "/"}, :commit]}`},
		{"an id that is there has no effect again",
			`{Handler.handle_buffered_event(visit.("a", "/", 2)), value.("/"), steps.()}`,
			`{:ok, 2, [:begin, {"processed_events", "a"}, :commit]}`},
		{"a batch is one transaction, in order",
			`{Handler.handle_buffered_events([visit.("b", "/", 1), visit.("a", "/", 2), visit.("c", "/", 1), visit.("b", "/", 1)]), value.("/"), steps.()}`,
			`{:ok, 4, [:begin, {"processed_events", "b"}, {"counters", "/"}, {"processed_events", "a"}, {"processed_events", "c"}, ` +
				`{"counters", "/"}, {"processed_events", "b"}, :commit]}`},
		{"what comes before a refused event is done, without it",
			`{Handler.handle_buffered_events([visit.("d", "/", 1), visit.("e", "/", 1), odd, visit.("f", "/", 1)]), value.("/"), Enum.sort(ids.()), ` +
				`Enum.filter(steps.(), &is_atom/1)}`,
			`{{:error, 2, :unknown_event_type}, 6, ["a", "b", "c", "d", "e"], [:begin, :rollback, :begin, :commit]}`},
		{"an effect that raises leaves no id behind",
			`{Handler.handle_buffered_events([visit.("g", "/", 1), visit.("h", "/broken", 1)]), value.("/"), Enum.member?(ids.(), "h")}`,
			`{{:error, 1, {:raised, "constraint broken"}}, 7, false}`},
		{"a database that goes away is no event's fault",
			`{Handler.handle_buffered_events([visit.("k", "/", 1), visit.("l", "/away", 1)]), Handler.handle_buffered_event(visit.("l", "/away", 1)), ` +
				`value.("/"), Enum.member?(ids.(), "k")}`,
			`{{:ok, 0}, {:error, {:raised, "tcp recv: closed"}}, 7, false}`},
		{"a refused single event has no position",
			`{Handler.handle_buffered_event(odd), Handler.handle_buffered_event(42), Handler.handle_buffered_event(visit.("i", [7], 1))}`,
			`{{:error, :unknown_event_type}, {:error, :invalid_event}, {:error, :invalid_payload}}`},
		{"an id that is an integer counts as its digits",
			`{Handler.handle_buffered_event(visit.("m", 7, 2)), Handler.handle_buffered_event(visit.("n", "7", 1)), value.("7")}`,
			`{:ok, :ok, 3}`},
		{"a long batch is handled in parts",
			`{Handler.handle_buffered_events(for i <- 1..1001, do: visit.("long-#{i}", "/long", 1)), value.("/long"), Handler.handle_buffered_events([])}`,
			`{{:ok, 1000}, 1000, :ok}`},
		{"forget deletes by age",
			`Repo.calls(); {Handler.forget(30), Repo.calls()}`,
			`{3, [delete_all: {"[where: e.handled_at < ago(^days, \"day\")]", [30]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := n.Eval(prelude + c.expr); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
