package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ehc/state"
	"ehc/state/disk"
	"ehc/state/spec"
)

// appliedFile holds the file in force, in the data folder.
const appliedFile = "applied.json"

// Config is the desired file in force, and where it comes from. The file last
// applied is kept in the data folder, so that a restart goes on with it; a
// watched file that has changed since is put in force instead.
type Config struct {
	path    string // the watched file; may be empty
	dataDir string
	env     spec.Env
	asked   spec.Env // that of a file which somebody asks about

	mu      sync.Mutex
	current applied
	spec    state.Spec
	started state.Spec      // what the parts that are fixed at start go by
	problem string          // why the newest version of the watched file is not in force, or lost
	secret  map[string]bool // names that cookies of the files in force were made of
	lost    string          // why the file last applied could not be at the start; "" once another is
}

// applied is what appliedFile holds.
type applied struct {
	File string    `json:"file"` // its name, for diagnostics
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	// Generation counts the files that were put in force, this one included.
	Generation uint64 `json:"generation"`
	// Watched is the digest of the watched file when this one was put in force.
	Watched string `json:"watched"`
}

// OpenConfig reads the file in force: the one last applied, unless the watched
// file at path has changed since. A watched file with errors is no reason to
// stop as long as one was applied before; nor is a file last applied that has
// errors now, such as an environment variable that is gone, as long as there is a
// watched one: it is kept in the data folder until a file is put in force on
// purpose. inForce says what is wrong. An error may be a spec.Diagnostics.
func OpenConfig(path, dataDir string, env spec.Env) (*Config, error) {
	c := &Config{path: path, dataDir: dataDir, env: env, asked: env, secret: map[string]bool{}}
	c.asked.Secret = c.isSecret
	last, err := c.readApplied()
	if err != nil {
		return nil, err
	}
	var broken error
	if last != nil {
		last.Generation = max(last.Generation, 1) // kept by a version that did not count
		c.current.Generation = last.Generation
		if _, err := c.parse(*last); err != nil {
			broken = fmt.Errorf("the file last applied, %s: %w", last.File, err)
		}
	}
	if err := c.start(last, broken); err != nil {
		return nil, err
	}
	c.started = c.spec
	return c, nil
}

// start puts the first file in force:
//
//	last applied   watched file            in force
//	good           as it was, or unread    last
//	good           changed, good           watched
//	good           changed, broken         last, a problem
//	broken         as it was               watched, a problem; last stays on disk
//	broken         changed                 watched
//	broken         unread                  none: an error
//	none           any                     watched
func (c *Config) start(last *applied, broken error) error {
	text, digest, err := c.readWatched()
	switch same := last != nil && digest == last.Watched; {
	case err != nil && broken != nil:
		return broken
	case err != nil && last == nil:
		return err
	case err != nil:
		if c.path != "" {
			c.problem = err.Error()
		}
		return c.adopt(*last)
	case same && broken != nil:
		c.lost = fmt.Sprintf("%v; %s is in force in its place", broken, c.path)
		c.problem = c.lost
		return c.adopt(c.next(c.path, text, digest))
	case same:
		return c.adopt(*last)
	}
	err = c.put(c.next(c.path, text, digest))
	var faults spec.Diagnostics
	if last == nil || broken != nil || !errors.As(err, &faults) {
		return err
	}
	c.problem = err.Error()
	return c.adopt(*last)
}

// Spec is the desired state in force.
func (c *Config) Spec() state.Spec {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spec
}

// Parse reads text, which somebody asks about, as a cluster.hcl. What cookies were
// made of in the files in force is secret in it, too. An error is a
// spec.Diagnostics; without one, what it gives beside the Spec are warnings.
func (c *Config) Parse(file, text string) (state.Spec, spec.Diagnostics, error) {
	s, diags := spec.Parse(file, []byte(text), c.asked)
	return s, diags, diags.Err()
}

func (c *Config) parse(a applied) (state.Spec, error) {
	s, diags := spec.Parse(a.File, []byte(a.Text), c.env)
	return s, diags.Err()
}

func (c *Config) isSecret(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secret[name]
}

// Apply puts text in force, durably, and returns what it asks for.
func (c *Config) Apply(file, text string) (state.Spec, error) {
	_, digest, err := c.readWatched()
	if err != nil {
		digest = "" // gone or unreadable: any later version counts as a change
	}
	if err := c.put(c.next(file, text, digest)); err != nil {
		return state.Spec{}, err
	}
	c.settled()
	return c.Spec(), nil
}

// Reload puts the watched file in force if it has changed since the last Apply
// or Reload, or if force is set. It reports whether it did; on an error what was
// in force stays, and Problem gives the error.
func (c *Config) Reload(force bool) (bool, error) {
	text, digest, err := c.readWatched()
	if err == nil {
		c.mu.Lock()
		same, lost := digest == c.current.Watched, c.lost
		c.mu.Unlock()
		if same && !force {
			c.setProblem(lost)
			return false, nil
		}
		err = c.put(c.next(c.path, text, digest))
	}
	if err != nil {
		c.setProblem(err.Error())
		return false, err
	}
	c.settled()
	return true, nil
}

// RestartRequired names what s would change but is fixed at start.
func (c *Config) RestartRequired(s state.Spec) []string { return spec.Changed(c.started, s) }

// lostAtStart says why the file last applied could not be put in force at the
// start, while that matters; "" if it is or another was put in force since.
func (c *Config) lostAtStart() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// inForce returns the file in force, when it was applied, and the problem with
// the watched one.
func (c *Config) inForce() (applied, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current, c.problem
}

func (c *Config) setProblem(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = text
}

// settled forgets every problem: a file has been put in force on purpose.
func (c *Config) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem, c.lost = "", ""
}

// next is the file to put in force after the one that is.
func (c *Config) next(file, text, watched string) applied {
	c.mu.Lock()
	defer c.mu.Unlock()
	return applied{File: file, Text: text, At: time.Now(), Watched: watched, Generation: c.current.Generation + 1}
}

// put puts a file in force: on disk first, so that what is in force is never what
// a restart would not know.
func (c *Config) put(a applied) error {
	s, err := c.parse(a)
	if err != nil {
		return err
	}
	if err := c.save(a); err != nil {
		return err
	}
	c.take(a, s)
	return nil
}

// adopt puts a file in force for this run.
func (c *Config) adopt(a applied) error {
	s, err := c.parse(a)
	if err == nil {
		c.take(a, s)
	}
	return err
}

func (c *Config) take(a applied, s state.Spec) {
	s.Generation = a.Generation
	names := spec.SecretNames(a.File, []byte(a.Text))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current, c.spec = a, s
	for _, name := range names {
		c.secret[name] = true
	}
}

func (c *Config) readWatched() (text, digest string, err error) {
	if c.path == "" {
		return "", "", errors.New("no -config file was given, and none has been applied to this data folder")
	}
	b, err := os.ReadFile(c.path)
	if err != nil {
		return "", "", fmt.Errorf("read config: %w", err)
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:]), nil
}

func (c *Config) readApplied() (*applied, error) {
	path := filepath.Join(c.dataDir, appliedFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing was ever applied here
	}
	if err != nil {
		return nil, fmt.Errorf("read the file last applied: %w", err)
	}
	var a applied
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("read %s: %w; remove it to start from -config", path, err)
	}
	return &a, nil
}

func (c *Config) save(a applied) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the file in force: %w", err)
	}
	if err := disk.WriteFile(filepath.Join(c.dataDir, appliedFile), b); err != nil {
		return fmt.Errorf("keep the file in force: %w", err)
	}
	return nil
}
