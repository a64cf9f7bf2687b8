package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile puts a small file at path, mode 0600, in one step: whoever reads it,
// even after a crash at any moment, finds the old content or the new, whole. It
// is on disk when WriteFile returns. What a crash leaves beside it, the next one
// overwrites: of one path there must be no two at once.
func WriteFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return flushFolder(filepath.Dir(path))
}

// RemoveFile removes the file at path, if it is there. Unlike WriteFile it needs no
// room. It is durable when RemoveFile returns.
func RemoveFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, errors.Unwrap(err))
	}
	return flushFolder(filepath.Dir(path))
}

// flushFolder makes the names in a folder durable.
func flushFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
