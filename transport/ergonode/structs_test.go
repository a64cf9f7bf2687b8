package ergonode_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/etf"
	"ehc/transport/transporttest/beam"
)

// metrics is an Elixir app with structs of its own.
const metrics = `
defmodule Metrics.Visit do
  @enforce_keys [:page_id]
  defstruct page_id: nil, delta: 1, tags: [], seen_at: nil, referrer: nil, ratio: 0.5
end

defmodule Metrics do
  alias Metrics.Visit

  def fresh, do: %Visit{page_id: "/höhe", tags: [:new, :blog], seen_at: ~U[2026-11-23 10:00:00.123456Z]}

  # Matches as an app would: what crosses must be a real struct.
  def double(%Visit{delta: d, seen_at: %DateTime{} = at, page_id: p} = v) when is_binary(p) do
    "Etc/UTC" = at.time_zone
    {:ok, %{v | delta: 2 * d, seen_at: DateTime.add(at, 1, :second), referrer: "x"}}
  end

  def same?(a), do: a == %{fresh() | referrer: "r"}
end
`

type visited struct {
	_        struct{}   `erl:"Elixir.Metrics.Visit,struct"`
	PageID   string     `erl:"page_id"`
	Delta    int        `erl:"delta"`
	Tags     []etf.Atom `erl:"tags"`
	SeenAt   time.Time  `erl:"seen_at"`
	Referrer *string    `erl:"referrer"`
	Ratio    float64    `erl:"ratio"`
}

type ok struct {
	_     struct{} `erl:"ok,tuple"`
	Visit visited  `erl:"visit"`
}

func TestElixirStructsCrossBothWays(t *testing.T) {
	source := filepath.Join(t.TempDir(), "metrics.ex")
	if err := os.WriteFile(source, []byte(metrics), 0o600); err != nil {
		t.Fatal(err)
	}
	e := beam.EPMD(t)
	p := beam.Start(t, beam.Options{Name: "x@127.0.0.1", Cookie: "monster", EPMDPort: e, Elixir: true,
		Paths: []string{beam.CompileElixir(t, source)}})
	c := dial(t, start(t, e, func(o *ergonode.Options) {
		o.Servers = map[string]transport.Handler{"ehc": func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			v, err := etf.As[visited](args[0])
			if err != nil {
				return etf.From(etf.Tuple{etf.Atom("error"), err.Error()})
			}
			v.Delta++
			return etf.From(ok{Visit: v})
		}}
	}), p.Name())
	same := cmp.AllowUnexported(visited{}, ok{})
	want := visited{PageID: "/höhe", Delta: 1, Tags: []etf.Atom{"new", "blog"}, Ratio: 0.5,
		SeenAt: time.Date(2026, 11, 23, 10, 0, 0, 123_456_000, time.UTC)}

	answer, err := c.Call(within(t), "Elixir.Metrics", "fresh")
	if err != nil {
		t.Fatal(err)
	}
	got, err := etf.As[visited](answer)
	if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
		t.Fatalf("from Elixir: %v %s", err, diff)
	}
	sent, err := etf.From(got)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err = c.Call(within(t), "Elixir.Metrics", "double", sent); err != nil {
		t.Fatal(err)
	}
	referrer := "x"
	want.Delta, want.SeenAt, want.Referrer = 2, want.SeenAt.Add(time.Second), &referrer
	doubled, err := etf.As[ok](answer)
	if diff := cmp.Diff(ok{Visit: want}, doubled, same); err != nil || diff != "" {
		t.Errorf("to Elixir and back: %v %s", err, diff)
	}

	other := "r"
	got.Referrer = &other
	if sent, err = etf.From(got); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Call(within(t), "Elixir.Metrics", "same?", sent); err != nil || v != etf.Term(etf.Atom("true")) {
		t.Errorf("the struct is not the same to Elixir: %v, %v", v, err)
	}
	for expr, want := range map[string]string{
		"{:ok, v} = GenServer.call({:ehc, :\"ehc@127.0.0.1\"}, Metrics.fresh(), :infinity); v == %{Metrics.fresh() | delta: 2}":    "true",
		"GenServer.call({:ehc, :\"ehc@127.0.0.1\"}, %{Metrics.fresh() | delta: nil}, :infinity)":                                   `{:error, "delta: the atom nil is no integer"}`,
		"GenServer.call({:ehc, :\"ehc@127.0.0.1\"}, Map.from_struct(Metrics.fresh()), :infinity)":                                  `{:error, "a map is no struct 'Elixir.Metrics.Visit'"}`,
		"GenServer.call({:ehc, :\"ehc@127.0.0.1\"}, %{Metrics.fresh() | seen_at: ~U[0000-01-01 00:00:00Z]}, :infinity) |> elem(0)": ":ok",
	} {
		if got := p.Eval(expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}
