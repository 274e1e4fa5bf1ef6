package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writePrivate makes file with mode 0600 and the given content, all at once
// and on the disk before it has its name. The caller holds the set-up lock, so
// nobody else makes the same file.
func writePrivate(file string, content []byte) (err error) {
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, filepath.Base(file)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// createPrivate makes an empty file with mode 0600 unless it is there.
//
// It must not open and close a file that SQLite may have open in this process:
// closing any descriptor of a file drops the process's POSIX locks on it. So
// the file is made under another name and linked.
func createPrivate(file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	name := tmp.Name()
	defer func() { _ = os.Remove(name) }()
	if err := tmp.Close(); err != nil {
		return err
	}
	err = os.Link(name, file)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// A file system without hard links.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// syncDir puts a new name on the disk; where a directory cannot be synced
// there is nothing better to do.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
