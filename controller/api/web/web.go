// Package web is the page on which a person sees the cluster: HTML, style sheets
// and scripts, in the binary, with no step to build them. It only reads, by the same
// API as everybody else, and holds no data itself: so it is served to whoever asks,
// and asks for the API's token where one is needed.
//
// It owns no answer of the API. What it shows, node names above all, is written by
// strangers: the scripts only ever set text, and the headers let no browser run
// anything that is not in these files.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var embedded embed.FS

// policy lets the page load its own files and ask its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// file is one file of the page as it is served.
type file struct {
	content []byte
	kind    string
	etag    string
}

// Beside serves the page at / and its files under /ui/, and leaves every other
// request to h. It asks nobody who they are.
func Beside(h http.Handler) http.Handler {
	files := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.ServeHTTP(w, r)
			return
		}
		f.serve(w, r)
	})
}

// load reads the files, by the path at which each is served. It panics if the
// binary was built without them.
func load() map[string]file {
	files := map[string]file{}
	err := fs.WalkDir(embedded, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		at := strings.TrimPrefix(name, "page")
		if at == "/index.html" {
			at = "/"
		}
		files[at] = file{content: content, kind: kindOf(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		panic(err) // they are in the binary
	}
	return files
}

// kindOf does not ask the system, whose tables may say anything.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // ask again: the next version may be there
	h.Set("ETag", f.etag)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(f.content) // a reader that left needs no answer
	}
}
