package evidence

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// disk is where the files are.
type disk interface {
	// prepare makes sure that files can be written, and lists those that there are.
	prepare() ([]entry, error)
	// create writes a file that appears with all of it, in place of one that has the name.
	create(name string, data []byte) error
	// extend writes behind so many bytes of a file. It is [fs.ErrNotExist] if the file is not
	// there, or has less.
	extend(name string, size int64, data []byte) error
	remove(name string) error
}

// directory is a disk below a path. Who may read captures is for the user to say: nobody else
// may read what it makes.
type directory string

// part is how the name of a file begins and ends that is not complete.
const partPrefix, partSuffix = ".", ".part"

func (d directory) prepare() (all []entry, err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	probe := filepath.Join(string(d), partPrefix+"synoptic"+partSuffix)
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Remove(probe); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if name, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), partSuffix), partPrefix); ok && Named(name) {
			_ = os.Remove(filepath.Join(string(d), e.Name())) // of a run that was killed
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, entry{e.Name(), info.Size()})
		}
	}
	return all, nil
}

func (d directory) create(name string, data []byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil { // it may have been removed
		return err
	}
	part := filepath.Join(string(d), partPrefix+name+partSuffix)
	err := os.WriteFile(part, data, 0o600)
	if err == nil {
		err = os.Rename(part, filepath.Join(string(d), name))
	}
	if err != nil {
		_ = os.Remove(part)
	}
	return err
}

func (d directory) extend(name string, size int64, data []byte) (err error) {
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < size {
		return fmt.Errorf("%s was cut: %w", name, fs.ErrNotExist)
	}
	if info.Size() > size { // as when writing failed half way
		if err := f.Truncate(size); err != nil {
			return err
		}
	}
	if _, err = f.WriteAt(data, size); err != nil {
		_ = f.Truncate(size) // so that it ends with a whole packet
	}
	return err
}

func (d directory) remove(name string) error {
	err := os.Remove(filepath.Join(string(d), name))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
