package spec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
	// Secret says of more names of variables and paths of files that they are
	// secret: those that another file makes a cookie of. Nil says it of none.
	Secret func(name string) bool
}

// SecretNames returns the names of variables and the paths of files that src, the
// text of the file named file, makes cookies and tokens of; none if src does not
// parse.
func SecretNames(file string, src []byte) []string {
	parsed, diags := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
	if diags.HasErrors() {
		return nil
	}
	var s secrets
	s.learn(parsed.Body.(*hclsyntax.Body))
	return sortedKeys(newInputs(Env{}, filepath.Dir(file)).secretPaths(s.names))
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
	content, err := in.env.ReadFile(in.whole(path))
	if err != nil {
		return "", err
	}
	if len(content) > maxFile {
		return "", fmt.Errorf("it has more than %d bytes", maxFile)
	}
	text := trimNewlines(string(content))
	in.remember(in.whole(path), text)
	return text, nil
}

func (in *inputs) remember(name, value string) {
	in.given[value] = true
	if in.isSecret(name) {
		in.secret[value] = true
	}
}

func (in *inputs) isSecret(name string) bool {
	return secretName(name) || in.secretNames[name] || in.env.Secret != nil && in.env.Secret(name)
}

// isSecretFile is isSecret for a path, however it is written. What the system
// tells of processes holds their environment.
func (in *inputs) isSecretFile(path string) bool {
	whole := in.whole(path)
	return in.isSecret(path) || in.isSecret(whole) || strings.HasPrefix(whole, "/proc/")
}

// whole is the one way to write the path of a file.
func (in *inputs) whole(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(in.folder, path)
}

// secretPaths adds to names what each is as a path.
func (in *inputs) secretPaths(names map[string]bool) map[string]bool {
	all := map[string]bool{}
	for name := range names {
		all[name], all[in.whole(name)] = true, true
	}
	return all
}
