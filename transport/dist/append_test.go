package dist

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ehc/transport/etf"
)

// erpc:call(a@127.0.0.1, erlang, node, []) from go@127.0.0.1, as a node of OTP 27
// takes and answers it.
var (
	captured      = etf.Pid{Node: "go@127.0.0.1", ID: 1, Creation: 0x11223344}
	capturedID    = etf.Ref{Node: "go@127.0.0.1", Creation: 0x11223344, Len: 3, ID: [5]uint32{1}}
	capturedFirst = unhex(`000000bb 70 83 68 06 61 1d 5a 0003 770c 676f403132372e302e302e31 11223344 00000001 00000000 00000000`,
		`58 770c 676f403132372e302e302e31 00000001 00000000 11223344 58 770c 676f403132372e302e302e31 00000001 00000000 11223344`,
		`68 03 7704 65727063 770c 657865637574655f63616c6c 61 04 6c 00000001 7707 6d6f6e69746f72 6a`,
		`83 6c 00000004 5a 0003 770c 676f403132372e302e302e31 11223344 00000002 00000000 00000000 7706 65726c616e67 7704 6e6f6465 6a 6a`)
	capturedReply = unhex(`0000005e 70 83 68 05 61 1f 5a 0003 770c 676f403132372e302e302e31 11223344 00000001 00000000 00000000`,
		`58 770c 676f403132372e302e302e31 00000001 00000000 11223344 61 02 58 770b 61403132372e302e302e31 0000005b 00000000 6b046c5b`)
	capturedDown = unhex(`00000095 70 83 68 04 61 1c 58 770b 61403132372e302e302e31 0000005b 00000000 6b046c5b`,
		`58 770c 676f403132372e302e302e31 00000001 00000000 11223344 5a 0003 770c 676f403132372e302e302e31 11223344 00000001 00000000 00000000`,
		`83 68 03 5a 0003 770c 676f403132372e302e302e31 11223344 00000002 00000000 00000000 7706 72657475726e 770b 61403132372e302e302e31`)
)

func TestSpawnRequestAsCaptured(t *testing.T) {
	b, err := AppendSpawnRequest(nil, SpawnRequest{
		ID: capturedID, From: captured, Leader: captured,
		Module: "erpc", Function: "execute_call", Arity: 4, Monitor: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	result := capturedID
	result.ID[0] = 2
	b, err = etf.Append(b, etf.List{result, etf.Atom("erlang"), etf.Atom("node"), etf.List{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := Seal(b); !bytes.Equal(got, capturedFirst) {
		t.Errorf("got\n%x\nwant\n%x", got, capturedFirst)
	}
}

func TestCallAnsweredAsCaptured(t *testing.T) {
	started := etf.Pid{Node: "a@127.0.0.1", ID: 0x5b, Creation: 0x6b046c5b}
	want := []Control{
		{Op: OpSpawnReply, From: started, To: captured, Ref: capturedID},
		{Op: OpDown, From: started, To: captured, Ref: capturedID, Payload: capturedDown[len(capturedDown)-56:]},
	}
	r := bufio.NewReader(bytes.NewReader(append(bytes.Clone(capturedReply), capturedDown...)))
	d := etf.NewDecoder(etf.DefaultLimits())
	for _, want := range want {
		frame, err := ReadFrame(r, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(frame, d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func genAtom() *rapid.Generator[etf.Atom] {
	return rapid.Custom(func(t *rapid.T) etf.Atom { return etf.Atom(rapid.StringN(0, 255, -1).Draw(t, "atom")) })
}

func genPid() *rapid.Generator[etf.Pid] {
	return rapid.Custom(func(t *rapid.T) etf.Pid {
		n := rapid.Uint32()
		return etf.Pid{Node: genAtom().Draw(t, "node"), ID: n.Draw(t, "id"), Serial: n.Draw(t, "serial"), Creation: n.Draw(t, "creation")}
	})
}

func genRef() *rapid.Generator[etf.Ref] {
	return rapid.Custom(func(t *rapid.T) etf.Ref {
		r := etf.Ref{Node: genAtom().Draw(t, "node"), Creation: rapid.Uint32().Draw(t, "creation"), Len: uint8(rapid.IntRange(1, 5).Draw(t, "len"))}
		for i := range r.Len {
			r.ID[i] = rapid.Uint32().Draw(t, "word")
		}
		return r
	})
}

// builders give a frame and what Parse has to make of it.
var builders = map[string]func(b []byte, from, to etf.Pid, name etf.Atom, ref etf.Ref, id uint64) ([]byte, Control, error){
	"send": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendSend(b, from, to), Control{Op: OpSend, From: from, To: to}, nil
	},
	"send to a name": func(b []byte, from, _ etf.Pid, name etf.Atom, _ etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendRegSend(b, from, name)
		return b, Control{Op: OpRegSend, From: from, Name: name}, err
	},
	"send to an alias": func(b []byte, from, _ etf.Pid, _ etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendAliasSend(b, from, ref), Control{Op: OpAliasSend, From: from, Ref: ref}, nil
	},
	"monitor": func(b []byte, from, to etf.Pid, _ etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendMonitor(b, from, to, ref), Control{Op: OpMonitor, From: from, To: to, Ref: ref}, nil
	},
	"monitor a name": func(b []byte, from, _ etf.Pid, name etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendMonitorName(b, from, name, ref)
		return b, Control{Op: OpMonitor, From: from, Named: true, Name: name, Ref: ref}, err
	},
	"demonitor": func(b []byte, from, to etf.Pid, _ etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendDemonitor(b, from, to, ref), Control{Op: OpDemonitor, From: from, To: to, Ref: ref}, nil
	},
	"demonitor a name": func(b []byte, from, _ etf.Pid, name etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendDemonitorName(b, from, name, ref)
		return b, Control{Op: OpDemonitor, From: from, Named: true, Name: name, Ref: ref}, err
	},
	"down": func(b []byte, from, to etf.Pid, _ etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendDown(b, from, to, ref), Control{Op: OpDown, From: from, To: to, Ref: ref}, nil
	},
	"down of a name": func(b []byte, _, to etf.Pid, name etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendDownName(b, name, to, ref)
		return b, Control{Op: OpDown, Named: true, Name: name, To: to, Ref: ref}, err
	},
	"link": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendLink(b, from, to), Control{Op: OpLink, From: from, To: to}, nil
	},
	"unlink": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, id uint64) ([]byte, Control, error) {
		b, err := AppendUnlink(b, id, from, to, Node{Creation: to.Creation})
		return b, Control{Op: OpUnlinkID, ID: id, From: from, To: to}, err
	},
	"unlink ack": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, id uint64) ([]byte, Control, error) {
		b, err := AppendUnlinkAck(b, id, from, to, Node{Creation: to.Creation})
		return b, Control{Op: OpUnlinkIDAck, ID: id, From: from, To: to}, err
	},
	"exit": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendExit(b, from, to, Node{Creation: to.Creation})
		return b, Control{Op: OpExit, From: from, To: to}, err
	},
	"exit/2": func(b []byte, from, to etf.Pid, _ etf.Atom, _ etf.Ref, _ uint64) ([]byte, Control, error) {
		return AppendExit2(b, from, to), Control{Op: OpExit2, From: from, To: to}, nil
	},
	"spawn request": func(b []byte, from, to etf.Pid, name etf.Atom, ref etf.Ref, id uint64) ([]byte, Control, error) {
		r := SpawnRequest{ID: ref, From: from, Leader: to, Module: name, Function: "f", Arity: uint8(id), Monitor: id%2 == 0}
		b, err := AppendSpawnRequest(b, r)
		s := &Spawn{Leader: to, Module: name, Function: "f", Arity: int(uint8(id)), Monitor: id%2 == 0}
		return b, Control{Op: OpSpawnRequest, From: from, Ref: ref, Spawn: s}, err
	},
	"spawn reply": func(b []byte, from, to etf.Pid, _ etf.Atom, ref etf.Ref, id uint64) ([]byte, Control, error) {
		return AppendSpawnReply(b, ref, to, from, id%2 == 0), Control{Op: OpSpawnReply, From: from, To: to, Ref: ref}, nil
	},
	"spawn failure": func(b []byte, _, to etf.Pid, name etf.Atom, ref etf.Ref, _ uint64) ([]byte, Control, error) {
		b, err := AppendSpawnFailure(b, ref, to, name)
		return b, Control{Op: OpSpawnReply, Named: true, Name: name, To: to, Ref: ref}, err
	},
}

func TestWhatIsBuiltIsParsed(t *testing.T) {
	d := etf.NewDecoder(etf.DefaultLimits())
	for name, build := range builders {
		t.Run(name, func(t *testing.T) {
			buf := []byte("whatever was here before, it is of no account")
			rapid.Check(t, func(t *rapid.T) {
				b, want, err := build(buf, genPid().Draw(t, "from"), genPid().Draw(t, "to"), genAtom().Draw(t, "name"),
					genRef().Draw(t, "ref"), rapid.Uint64Min(1).Draw(t, "id"))
				if err != nil {
					t.Fatal(err)
				}
				if shapes[want.Op].payload {
					if b[len(b)-1] != version {
						t.Fatalf("no room for a payload after %x", b)
					}
					b, want.Payload = append(b, hi...), []byte(hi)
				}
				frame, err := ReadFrame(bufio.NewReader(bytes.NewReader(Seal(b))), 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Parse(frame, d)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			})
		})
	}
}

func TestWhatWouldEndTheConnectionIsNotBuilt(t *testing.T) {
	for _, name := range []etf.Atom{etf.Atom(strings.Repeat("x", 256)), "\xff"} {
		for _, of := range []string{"send to a name", "monitor a name", "demonitor a name", "down of a name", "spawn request", "spawn failure"} {
			b, _, err := builders[of](nil, ours, theirs, name, ref, 1)
			var value *etf.ValueError
			if !errors.As(err, &value) || b != nil {
				t.Errorf("%s %.3q: %x and %v", of, name, b, err)
			}
		}
		if b, err := AppendSpawnRequest(nil, SpawnRequest{ID: ref, Module: "m", Function: name}); err == nil || b != nil {
			t.Errorf("spawn of m:%.3q: %x and %v", name, b, err)
		}
	}
	for _, of := range []string{"unlink", "unlink ack"} {
		if b, _, err := builders[of](nil, ours, theirs, "", ref, 0); !errors.Is(err, ErrUnlinkID) || b != nil {
			t.Errorf("%s with the id 0: %x and %v", of, b, err)
		}
	}
	later := Node{Creation: theirs.Creation + 1}
	if b, err := AppendExit(nil, ours, theirs, later); !errors.Is(err, ErrStale) || b != nil {
		t.Errorf("exit to a former incarnation: %x and %v", b, err)
	}
	if b, err := AppendUnlink(nil, 7, ours, theirs, later); !errors.Is(err, ErrStale) || b != nil {
		t.Errorf("unlink of a former incarnation: %x and %v", b, err)
	}
}

func BenchmarkAppendSend(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = Seal(append(AppendSend(buf, ours, theirs), hi...))
	}
}
