// Package termjson is the one mapping between Erlang terms and JSON: for what
// people and programs without Erlang read and write.
//
//	term                               JSON
//	nil                                null
//	true, false                        true, false
//	other atoms                        a string, as Elixir shows it: "ok", and without
//	                                   Elixir. for a module, "Phoenix.PubSub"
//	integers                           a number, whole; one of more than 16,384 bits is
//	                                   {"$erlang": TEXT}, cut short
//	floats                             a number with a point or an exponent: 1.0
//	binaries in UTF-8                  a string
//	other binaries                     {"$binary": BASE64}
//	lists and tuples                   an array
//	maps                               an object; a key is a string of the key's text if it
//	                                   is a binary, an atom or an integer
//	maps with other keys, or with      {"$map": [[KEY, VALUE], …]}
//	two keys of one text
//	structs                            an object with "__struct__": "MyApp.Visit" first
//	DateTime, NaiveDateTime,           a string in ISO 8601, as to_iso8601/1 gives it
//	Date, Time
//	improper lists                     {"$improper": [[ELEMENT, …], TAIL]}
//	bit strings, pids, references,     {"$erlang": TEXT}, for people: it cannot be
//	ports, funs, native records        read back
//
// What JSON has no form for is thus an object with one key that begins with "$".
// A map of a peer that looks like one is written as a $map, so nobody's data is
// ever taken for a form.
//
// The way back has no atoms, tuples and keys other than text by itself: a string is
// a binary, an array a list. Who wants others writes the form:
//
//	{"$atom": "ok"}    {"$tuple": ["visit", 1]}    {"$map": [[{"$atom": "count"}, 3]]}
//
// Forms are for those who may say what a peer is sent (Decode). The data of others,
// which is carried as it is, must not make atoms there: Fields knows no forms.
package termjson

// maxDepth bounds how deep objects and arrays nest on the way to a term.
const maxDepth = 64

// The forms.
const (
	formAtom     = "$atom"
	formTuple    = "$tuple"
	formBinary   = "$binary"
	formMap      = "$map"
	formImproper = "$improper"
	formErlang   = "$erlang"
)
