package disktest

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite reaches files through a table of functions, and knows several. This one is
// the usual one but for open and delete; a file that open returns for a folder on a
// Disk has a table of functions of its own, which is the usual one of its kind but
// for those that change it. All tables and files are SQLite's: C structs beyond Go's
// heap, in which a function is the address of a Go closure.
var shim struct {
	once sync.Once
	err  error
	real uintptr // *sqlite3.Tsqlite3_vfs

	mu     sync.Mutex
	disks  map[string]*Disk
	files  map[uintptr]*opened // by SQLite's file
	tables map[uintptr]uintptr // of a file's functions: ours for each of SQLite's
}

// opened is an open file on a Disk.
type opened struct {
	disk *Disk
	path string
	real *sqlite3.Tsqlite3_io_methods
}

type (
	openFunc     = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	closeFunc    = func(tls *libc.TLS, file uintptr) int32
	writeFunc    = func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc     = func(tls *libc.TLS, file uintptr, flags int32) int32
	growFunc     = func(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32
)

// at is the C struct at an address.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function is the Go function of type F whose address is in a C struct.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) }

// address is what function takes.
func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// watch puts a folder on d until the test ends.
func watch(t testing.TB, d *Disk) {
	t.Helper()
	shim.once.Do(func() { shim.err = install() })
	if shim.err != nil {
		t.Fatal(shim.err)
	}
	shim.mu.Lock()
	defer shim.mu.Unlock()
	shim.disks[d.dir] = d
	t.Cleanup(func() {
		shim.mu.Lock()
		defer shim.mu.Unlock()
		delete(shim.disks, d.dir)
	})
}

// install makes the shim what SQLite uses for every file of this process.
func install() error {
	tls := libc.NewTLS() // for good, like the shim
	shim.disks, shim.files, shim.tables = map[string]*Disk{}, map[uintptr]*opened{}, map[uintptr]uintptr{}
	shim.real = sqlite3.Xsqlite3_vfs_find(tls, 0)
	name, err := libc.CString("ehc-disktest")
	if err != nil || shim.real == 0 {
		return errors.Join(errors.New("no file system of SQLite's to stand before"), err)
	}
	ours := copyOf[sqlite3.Tsqlite3_vfs](tls, shim.real)
	v := at[sqlite3.Tsqlite3_vfs](ours)
	v.FzName = name
	v.FxOpen = address[openFunc](open)
	v.FxDelete = address[deleteFunc](remove)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, ours, 1); rc != sqlite3.SQLITE_OK {
		return errors.New("SQLite does not take another file system")
	}
	return nil
}

// copyOf is a copy of a C struct, for good.
func copyOf[T any](tls *libc.TLS, of uintptr) uintptr {
	to := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*new(T))))
	if to == 0 {
		panic("no memory")
	}
	*at[T](to) = *at[T](of)
	return to
}

// diskOf is the Disk that a file is on, nil if it is on none.
func diskOf(path string) *Disk {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.disks[filepath.Dir(path)]
}

func fileOf(file uintptr) *opened {
	shim.mu.Lock()
	defer shim.mu.Unlock()
	return shim.files[file]
}

func open(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	real := function[openFunc](at[sqlite3.Tsqlite3_vfs](shim.real).FxOpen)
	path := libc.GoString(name)
	d := diskOf(path)
	if name == 0 || d == nil {
		return real(tls, shim.real, name, file, flags, out)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// The same file is opened by each connection: only what makes it is a step.
	if _, err := os.Lstat(path); err != nil && flags&sqlite3.SQLITE_OPEN_CREATE != 0 {
		if d.step(labelOf(path, "open")) != asItIs {
			at[sqlite3.Tsqlite3_file](file).FpMethods = 0
			return sqlite3.SQLITE_CANTOPEN
		}
	}
	rc := real(tls, shim.real, name, file, flags, out)
	f := at[sqlite3.Tsqlite3_file](file)
	if rc != sqlite3.SQLITE_OK || f.FpMethods == 0 {
		return rc
	}
	d.known(path)
	shim.mu.Lock()
	defer shim.mu.Unlock()
	shim.files[file] = &opened{disk: d, path: path, real: at[sqlite3.Tsqlite3_io_methods](f.FpMethods)}
	if shim.tables[f.FpMethods] == 0 {
		shim.tables[f.FpMethods] = ourTable(tls, f.FpMethods)
	}
	f.FpMethods = shim.tables[f.FpMethods]
	return rc
}

func ourTable(tls *libc.TLS, of uintptr) uintptr {
	to := copyOf[sqlite3.Tsqlite3_io_methods](tls, of)
	m := at[sqlite3.Tsqlite3_io_methods](to)
	m.FxClose = address[closeFunc](shut)
	m.FxWrite = address[writeFunc](write)
	m.FxTruncate = address[truncateFunc](truncate)
	m.FxSync = address[syncFunc](flush)
	m.FxShmMap = address[growFunc](grow)
	return to
}

// known takes up a file as it is. The store itself makes the name of ehc.db durable;
// SQLite does for its other files with the first flush. The caller holds mu.
func (d *Disk) known(path string) *file {
	name := filepath.Base(path)
	if f := d.files[name]; f != nil {
		return f
	}
	text, _ := os.ReadFile(path) // there is nothing in one that is not there
	f := &file{durable: text, there: name == "ehc.db"}
	d.files[name] = f
	return f
}

func remove(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	path := libc.GoString(name)
	if d := diskOf(path); d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if _, err := os.Lstat(path); err == nil {
			if d.step(labelOf(path, "delete")) != asItIs {
				return sqlite3.SQLITE_IOERR_DELETE
			}
			delete(d.files, filepath.Base(path))
		}
	}
	return function[deleteFunc](at[sqlite3.Tsqlite3_vfs](shim.real).FxDelete)(tls, shim.real, name, syncDir)
}

func shut(tls *libc.TLS, file uintptr) int32 {
	o := fileOf(file)
	rc := function[closeFunc](o.real.FxClose)(tls, file)
	shim.mu.Lock()
	defer shim.mu.Unlock()
	delete(shim.files, file)
	return rc
}

func write(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	o := fileOf(file)
	o.disk.mu.Lock()
	defer o.disk.mu.Unlock()
	did := o.disk.step(labelOf(o.path, "write"))
	switch did {
	case broken:
		return sqlite3.SQLITE_IOERR_WRITE
	case isFull:
		return sqlite3.SQLITE_FULL
	case half, last:
		n /= 2
	}
	if n > 0 {
		if rc := function[writeFunc](o.real.FxWrite)(tls, file, data, n, offset); rc != sqlite3.SQLITE_OK {
			return rc
		}
		text := append([]byte{}, unsafe.Slice(at[byte](data), n)...)
		f := o.disk.known(o.path)
		f.pending = append(f.pending, change{offset, text})
	}
	switch did {
	case half:
		return sqlite3.SQLITE_FULL
	case last:
		o.disk.die()
		return sqlite3.SQLITE_IOERR_WRITE
	}
	return sqlite3.SQLITE_OK
}

func truncate(tls *libc.TLS, file uintptr, size int64) int32 {
	o := fileOf(file)
	o.disk.mu.Lock()
	defer o.disk.mu.Unlock()
	if o.disk.step(labelOf(o.path, "truncate")) != asItIs {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	f := o.disk.known(o.path)
	f.pending = append(f.pending, change{at: size})
	return function[truncateFunc](o.real.FxTruncate)(tls, file, size)
}

// flush writes nothing out: a crash is made up, and no test needs the device.
func flush(_ *libc.TLS, file uintptr, _ int32) int32 {
	o := fileOf(file)
	o.disk.mu.Lock()
	defer o.disk.mu.Unlock()
	f := o.disk.known(o.path)
	if o.disk.step(labelOf(o.path, "sync")) != asItIs {
		if o.disk.left == nil {
			f.lost(o.disk.luck)
		}
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	f.flushed()
	return sqlite3.SQLITE_OK
}

// grow is SQLite's look at a piece of the log's index, in memory that is shared: a
// step only if it makes the file larger.
func grow(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32 {
	o := fileOf(file)
	if extend != 0 {
		if fi, err := os.Stat(o.path + "-shm"); err == nil && fi.Size() < int64(region+1)*int64(size) {
			o.disk.mu.Lock()
			defer o.disk.mu.Unlock()
			if o.disk.step(labelOf(o.path+"-shm", "grow")) != asItIs {
				return sqlite3.SQLITE_IOERR_SHMSIZE
			}
		}
	}
	return function[growFunc](o.real.FxShmMap)(tls, file, region, size, extend, out)
}
