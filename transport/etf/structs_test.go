package etf_test

import (
	"errors"
	"math"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/transport/etf"
)

type visit struct {
	PageID string `erl:"page_id"`
	Delta  int8   `erl:"delta"`
	Note   string `erl:"note,omitempty"`
	Local  int
}

type remoteEvent struct {
	_       struct{}  `erl:"Elixir.Remote.Event,struct"`
	ID      string    `erl:"event_id"`
	Kind    string    `erl:"type,atom"`
	Payload visit     `erl:"payload"`
	At      time.Time `erl:"inserted_at"`
}

type headers struct {
	_    struct{} `erl:",binary"`
	Host string   `erl:"host"`
	Size *int     `erl:"x-size"`
}

type point struct {
	_ struct{} `erl:",tuple"`
	X int      `erl:"x"`
	Y float32  `erl:"y"`
}

type reply struct {
	_     struct{} `erl:"ok,tuple"`
	Value any      `erl:"value"`
}

type tree struct {
	Name string  `erl:"name"`
	Kids []tree  `erl:"kids,omitempty"`
	Up   *tree   `erl:"up,omitempty"`
	Tags [2]bool `erl:"tags"`
}

func pair(k, v etf.Term) etf.Pair { return etf.Pair{Key: k, Value: v} }

func ptr[T any](v T) *T { return &v }

func dateTime(year int, micros etf.Tuple, zone string, offset, summer int) etf.Map {
	return etf.Map{
		pair(etf.Atom("__struct__"), etf.Atom("Elixir.DateTime")), pair(etf.Atom("calendar"), etf.Atom("Elixir.Calendar.ISO")),
		pair(etf.Atom("year"), year), pair(etf.Atom("month"), 2), pair(etf.Atom("day"), 3), pair(etf.Atom("hour"), 4),
		pair(etf.Atom("minute"), 5), pair(etf.Atom("second"), 6), pair(etf.Atom("microsecond"), micros),
		pair(etf.Atom("time_zone"), zone), pair(etf.Atom("zone_abbr"), zone[len(zone)-3:]),
		pair(etf.Atom("utc_offset"), offset), pair(etf.Atom("std_offset"), summer),
	}
}

var at = time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)

// both is a Go value and its term, which stand for each other both ways.
type both struct {
	name string
	term etf.Term
	ok   func(t *testing.T, want etf.Term)
}

func stands[T any](name string, v T, term etf.Term) both {
	return both{name, term, func(t *testing.T, term etf.Term) {
		same := cmp.Options{
			cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
			cmp.AllowUnexported(remoteEvent{}, headers{}, point{}, reply{}),
		}
		got, err := etf.From(v)
		if diff := cmp.Diff(term, got, same); err != nil || diff != "" {
			t.Errorf("from: %v %s", err, diff)
		}
		back, err := etf.As[T](term)
		if diff := cmp.Diff(v, back, same); err != nil || diff != "" {
			t.Errorf("into: %v %s", err, diff)
		}
	}}
}

func TestGoValuesAndTheirTerms(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 64)
	for _, c := range []both{
		stands("a boolean", true, etf.Atom("true")),
		stands("an integer", int16(-300), -300),
		stands("the largest integer", uint64(math.MaxUint64), new(big.Int).SetUint64(math.MaxUint64)),
		stands("an integer without bounds", huge, huge),
		stands("one that is small", big.NewInt(7), 7),
		stands("no integer", (*big.Int)(nil), etf.Atom("nil")),
		stands("a float", 1.5, 1.5),
		stands("a string", "höhe", "höhe"),
		stands("bytes", []byte{0, 255}, "\x00\xff"),
		stands("an array of bytes", [3]byte{1, 2, 3}, "\x01\x02\x03"),
		stands("an atom", etf.Atom("ok"), etf.Atom("ok")),
		stands("a duration", time.Second, 1_000_000_000),
		stands("a list", []string{"a", "b"}, etf.List{"a", "b"}),
		stands("a longer list", make([]int8, 200), make200()),
		stands("an empty list", []string{}, etf.List{}),
		stands("an array", [2]int{1, 2}, etf.List{1, 2}),
		stands("a map", map[string]int{"b": 2, "a": 1}, etf.Map{pair("a", 1), pair("b", 2)}),
		stands("a map of atoms", map[etf.Atom]bool{"x": true}, etf.Map{pair(etf.Atom("x"), etf.Atom("true"))}),
		stands("a map of any", map[any]any{1: "x", "k": etf.Atom("nil")}, etf.Map{pair(1, "x"), pair("k", etf.Atom("nil"))}),
		stands("a pointer", ptr(3), 3),
		stands("a nil pointer", (*int)(nil), etf.Atom("nil")),
		stands("any", any(etf.Tuple{1, "x"}), etf.Tuple{1, "x"}),
		stands("a tuple", etf.Tuple{1, etf.List{}, etf.ImproperList{Elems: []etf.Term{1}, Tail: 2}}, etf.Tuple{1, etf.List{}, etf.ImproperList{Elems: []etf.Term{1}, Tail: 2}}),
		stands("a pid", etf.Pid{Node: "a@b", ID: 1}, etf.Pid{Node: "a@b", ID: 1}),
		stands("a time", at, dateTime(2026, etf.Tuple{789, 6}, "Etc/UTC", 0, 0)),
		stands("a time before Christ", at.AddDate(-2100, 0, 0), dateTime(-74, etf.Tuple{789, 6}, "Etc/UTC", 0, 0)),
		stands("a struct", visit{PageID: "/blog", Delta: 1},
			etf.Map{pair(etf.Atom("page_id"), "/blog"), pair(etf.Atom("delta"), 1)}),
		stands("an Elixir struct", remoteEvent{ID: "01J", Kind: "increment_visit", Payload: visit{PageID: "/", Delta: -1, Note: "x"}, At: at},
			etf.Map{pair(etf.Atom("__struct__"), etf.Atom("Elixir.Remote.Event")), pair(etf.Atom("event_id"), "01J"),
				pair(etf.Atom("type"), etf.Atom("increment_visit")),
				pair(etf.Atom("payload"), etf.Map{pair(etf.Atom("page_id"), "/"), pair(etf.Atom("delta"), -1), pair(etf.Atom("note"), "x")}),
				pair(etf.Atom("inserted_at"), dateTime(2026, etf.Tuple{789, 6}, "Etc/UTC", 0, 0))}),
		stands("keys that are binaries", headers{Host: "a", Size: ptr(4)}, etf.Map{pair("host", "a"), pair("x-size", 4)}),
		stands("a tuple of fields", point{X: 1, Y: 0.5}, etf.Tuple{1, 0.5}),
		stands("a tagged tuple", reply{Value: etf.List{1}}, etf.Tuple{etf.Atom("ok"), etf.List{1}}),
		stands("a type that contains itself", tree{Name: "a", Kids: []tree{{Name: "b"}}, Up: &tree{Name: "c"}},
			etf.Map{pair(etf.Atom("name"), "a"), pair(etf.Atom("kids"), etf.List{leaf("b")}), pair(etf.Atom("up"), leaf("c")), pair(etf.Atom("tags"), noTags)}),
	} {
		t.Run(c.name, func(t *testing.T) { c.ok(t, c.term) })
	}
}

func make200() etf.List {
	l := make(etf.List, 200)
	for i := range l {
		l[i] = 0
	}
	return l
}

var noTags = etf.List{etf.Atom("false"), etf.Atom("false")}

func leaf(name string) etf.Map {
	return etf.Map{pair(etf.Atom("name"), name), pair(etf.Atom("tags"), noTags)}
}

func TestFromOneWay(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"nil", nil, "nil"},
		{"a nil slice is an empty list", []int(nil), "[]"},
		{"Go values within terms", etf.Tuple{etf.Atom("reply"), point{X: 1, Y: 2}, etf.List{true, []byte("x")}, etf.Map{pair(etf.Atom("k"), int8(1))}},
			`{reply,{1,2.0},[true,<<"x">>],#{k => 1}}`},
		{"a value in any", reply{Value: visit{PageID: "/"}}, `{ok,#{page_id => <<"/">>,delta => 0}}`},
		{"nothing in any", reply{}, "{ok,nil}"},
		{"keys of several kinds in order", map[any]int{"b": 1, "a": 2, 7: 3, -1: 4, etf.Atom("z"): 5}, `#{-1 => 4,7 => 3,z => 5,<<"a">> => 2,<<"b">> => 1}`},
	} {
		got, err := etf.From(c.v)
		if err != nil || etf.Text(got) != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, etf.Text(got), err, c.want)
		}
	}
}

func TestIntoOneWay(t *testing.T) {
	t.Run("unknown keys are ignored, and a struct is a map too", func(t *testing.T) {
		v, err := etf.As[visit](etf.Map{pair(etf.Atom("__struct__"), etf.Atom("Elixir.V")), pair(etf.Atom("delta"), 1), pair("delta", 2),
			pair(etf.Atom("page_id"), "x"), pair(etf.Tuple{1}, 3)})
		if err != nil || v != (visit{PageID: "x", Delta: 1}) {
			t.Error(v, err)
		}
	})
	t.Run("a missing key with omitempty keeps what the field had", func(t *testing.T) {
		v := visit{Note: "default", Local: 7}
		err := etf.Into(etf.Map{pair(etf.Atom("page_id"), "x"), pair(etf.Atom("delta"), 1)}, &v)
		if err != nil || v.Note != "default" || v.Local != 7 {
			t.Error(v, err)
		}
	})
	t.Run("slices, maps and pointers are made anew", func(t *testing.T) {
		list, shared := []int{1, 2, 3}, ptr(1)
		v := struct {
			L []int          `erl:"l"`
			M map[string]int `erl:"m"`
			P *int           `erl:"p"`
		}{list, map[string]int{"old": 1}, shared}
		err := etf.Into(etf.Map{pair(etf.Atom("l"), etf.List{9}), pair(etf.Atom("m"), etf.Map{}), pair(etf.Atom("p"), 2)}, &v)
		if err != nil || len(v.L) != 1 || len(v.M) != 0 || *v.P != 2 || list[0] != 1 || *shared != 1 {
			t.Error(v, list, *shared, err)
		}
	})
	t.Run("a DateTime of another zone is the same instant in UTC", func(t *testing.T) {
		v, err := etf.As[time.Time](dateTime(2026, etf.Tuple{789, 3}, "Europe/Berlin", 3600, 3600))
		if err != nil || !v.Equal(at.Add(-2*time.Hour)) || v.Location() != time.UTC {
			t.Error(v, err)
		}
	})
	t.Run("a time of another zone comes back as its instant, in microseconds", func(t *testing.T) {
		sent := time.Date(2026, 1, 1, 0, 30, 0, 1999, time.FixedZone("CET", 3600))
		term, err := etf.From(sent)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := etf.As[time.Time](term); err != nil || !v.Equal(sent.Add(-999)) || v.Year() != 2025 {
			t.Error(v, err)
		}
	})
	t.Run("integers that a float holds", func(t *testing.T) {
		if v, err := etf.As[[]float64](etf.List{1, -1 << 53}); err != nil || v[1] != -1<<53 {
			t.Error(v, err)
		}
	})
	t.Run("what Go code puts into terms", func(t *testing.T) {
		v, err := etf.As[[]any](etf.List{true, uint8(1)})
		if diff := cmp.Diff([]any{true, uint8(1)}, v); err != nil || diff != "" {
			t.Error(diff, err)
		}
		if v, err := etf.As[remoteFlags](etf.Map{pair(etf.Atom("on"), true), pair(etf.Atom("n"), uint16(3)), pair(etf.Atom("s"), []byte("x"))}); err != nil ||
			v != (remoteFlags{true, 3, "x"}) {
			t.Error(v, err)
		}
	})
	t.Run("no pointer is a bug", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("it did not panic")
			}
		}()
		_ = etf.Into(1, 2)
	})
}

type remoteFlags struct {
	On bool   `erl:"on"`
	N  int8   `erl:"n"`
	S  string `erl:"s"`
}

func TestTypesAreUnderstoodOnceByMany(t *testing.T) {
	type inner struct {
		Next *tree  `erl:"next"`
		V    []int8 `erl:"v"`
	}
	type outer struct {
		Inner map[string]inner `erl:"inner"`
	}
	v := outer{map[string]inner{"a": {V: []int8{1}}}}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := etf.From(v)
			if err != nil || etf.Text(got) != `#{inner => #{<<"a">> => #{next => nil,v => [1]}}}` {
				t.Error(got, err)
			}
			if _, err := etf.As[outer](got); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestTooDeep(t *testing.T) {
	type ring struct {
		Next *ring `erl:"next"`
	}
	r := &ring{}
	r.Next = r
	if _, err := etf.From(r); !errors.Is(err, etf.ErrDepth) {
		t.Errorf("from: %v", err)
	}
	l := etf.List{nil}
	l[0] = l
	type lists []lists
	if _, err := etf.As[lists](l); !errors.Is(err, etf.ErrDepth) {
		t.Errorf("into: %v", err)
	}
	if _, err := etf.From(l); !errors.Is(err, etf.ErrDepth) || len(err.Error()) > 5000 {
		t.Errorf("from a list in itself: %v", err)
	}
}
