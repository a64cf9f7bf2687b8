package etf_test

import (
	"fmt"

	"ehc/transport/etf"
)

func Example() {
	type Visit struct {
		_      struct{} `erl:"Elixir.Metrics.Visit,struct"`
		PageID string   `erl:"page_id"`
		Delta  int8     `erl:"delta"`
		Note   string   `erl:"note,omitempty"`
	}
	t, _ := etf.From(Visit{PageID: "/blog", Delta: 1})
	fmt.Println(etf.Text(t))

	v, err := etf.As[Visit](t)
	fmt.Println(v.PageID, v.Delta, err)

	err = etf.Into(etf.Tuple{etf.Atom("ok"), 300}, &struct {
		_     struct{} `erl:"ok,tuple"`
		Delta int8     `erl:"delta"`
	}{})
	fmt.Println(err)
	// Output:
	// #{'__struct__' => 'Elixir.Metrics.Visit',page_id => <<"/blog">>,delta => 1}
	// /blog 1 <nil>
	// delta: 300 does not fit int8
}
