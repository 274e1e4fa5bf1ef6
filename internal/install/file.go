package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// maxFile bounds a client's configuration, in bytes.
const maxFile = 4 << 20

// Change is what Write did.
type Change struct {
	File   string
	Backup string // the file as it was; empty when there was none
	Wrote  bool   // false: the server was there already
}

// Write adds the server to the client's file, all at once, and keeps the file
// as it was beside it. Nothing is changed after an error, which is one sentence
// that names the file; ErrUnclear when a person has to do it by hand.
func (c Client) Write(file string, s Server) (Change, error) {
	change := Change{File: file}
	// The file may be a link into a folder of dotfiles, which must stay one.
	target, err := filepath.EvalSymlinks(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target = file
	case err != nil:
		return change, because(file, err)
	}
	old, mode, err := read(target)
	if err != nil {
		return change, because(file, err)
	}
	edited, err := c.Edit(old, s)
	if err != nil {
		return change, because(file, err)
	}
	if bytes.Equal(edited, old) && old != nil {
		return change, nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return change, because(file, err)
	}
	if old != nil {
		if change.Backup, err = backUp(target, old, mode); err != nil {
			return change, because(file, err)
		}
	}
	if err := replace(target, old, edited, mode); err != nil {
		if change.Backup != "" {
			_ = os.Remove(change.Backup)
			change.Backup = ""
		}
		return change, because(file, err)
	}
	change.Wrote = true
	return change, nil
}

// because names the file and gives the reason without the call that failed.
func because(file string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("%s was not changed: %w", file, err)
}

// read is the content and mode of a file; nil when there is none.
func read(file string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0o600, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular():
		return nil, 0, errors.New("it is no regular file")
	// A new file in its place could be made all the same, which is not what
	// its owner meant.
	case info.Mode().Perm()&0o200 == 0:
		return nil, 0, errors.New("it is read-only")
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	if content == nil {
		content = []byte{}
	}
	return content, info.Mode().Perm(), err
}

// maxBackups bounds how many backups of one file there may be.
const maxBackups = 100

// backUp keeps content under the first free name beside the file.
func backUp(file string, content []byte, mode fs.FileMode) (string, error) {
	for n := 1; n <= maxBackups; n++ {
		name := file + ".bak"
		if n > 1 {
			name += strconv.Itoa(n)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(content)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			_ = os.Remove(name)
			return "", err
		}
		return name, nil
	}
	return "", fmt.Errorf("there are %d backups beside it already; delete some", maxBackups)
}

// replace puts content in the place of the file that held old.
func replace(file string, old, content []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if now, _, err := read(file); err != nil || !bytes.Equal(now, old) {
		return errors.Join(errors.New("another program changed it meanwhile; try again"), err)
	}
	return os.Rename(f.Name(), file)
}
