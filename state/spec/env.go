package spec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Env is the world outside the file, as far as a file may read it. A nil
// function stands for a world that has nothing.
type Env struct {
	// Lookup returns an environment variable and whether it is set, as
	// os.LookupEnv does. It answers the function env and, under the name
	// EHC_VAR_x, gives variable "x" its value.
	Lookup func(name string) (string, bool)
	// ReadFile returns the content of a file for the function file. The path
	// is absolute, or relative to the working directory.
	ReadFile func(path string) ([]byte, error)
}

// System returns the Env of this process: its environment and its files, of
// which no more is read than a file may have.
func System() Env {
	return Env{Lookup: os.LookupEnv, ReadFile: readSome}
}

func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1)) // one more, so that inputs.file sees the excess
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return content, err
}

// inputs reads the Env and remembers each value that it gave, because any of
// them may be a secret.
type inputs struct {
	env    Env
	folder string
	given  map[string]bool
	secret map[string]bool // given under the name of a secret
	// secretNames are names of variables and paths of files that cookies are
	// made of, beside those that sound like it.
	secretNames map[string]bool
}

func newInputs(env Env, folder string) *inputs {
	return &inputs{env: env, folder: folder, given: map[string]bool{}, secret: map[string]bool{}}
}

func (in *inputs) lookup(name string) (string, bool) {
	if in.env.Lookup == nil {
		return "", false
	}
	value, ok := in.env.Lookup(name)
	if ok {
		in.remember(name, value)
	}
	return value, ok
}

func (in *inputs) file(path string) (string, error) {
	if in.env.ReadFile == nil {
		return "", fmt.Errorf("no file can be read here")
	}
	whole := path
	if !filepath.IsAbs(whole) {
		whole = filepath.Join(in.folder, path)
	}
	content, err := in.env.ReadFile(whole)
	if err != nil {
		return "", err
	}
	if len(content) > maxFile {
		return "", fmt.Errorf("it has more than %d bytes", maxFile)
	}
	text := trimNewlines(string(content))
	in.remember(path, text)
	return text, nil
}

func (in *inputs) remember(name, value string) {
	in.given[value] = true
	if in.isSecret(name) {
		in.secret[value] = true
	}
}

func (in *inputs) isSecret(name string) bool {
	return secretName(name) || in.secretNames[name]
}
