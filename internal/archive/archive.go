// Package archive lists the members of zip and tar archives and reads one of
// them. It knows neither Nextcloud nor MCP.
//
// Archives come from strangers. Names of members are only ever compared and
// shown, never used as paths, and everything that is unpacked is bounded.
package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// The bounds of one reading.
const (
	MaxArchive = 64 << 20  // bytes of an archive
	MaxMembers = 100_000   // that are looked at
	MaxScan    = 512 << 20 // bytes of a tar archive that are unpacked on the way
	maxRatio   = 400       // bytes that one byte of a member may become
	ratioFrom  = 32 << 20  // bytes that a member may become whatever its ratio
)

// The kinds of failure.
var (
	ErrFormat    = errors.New("not a zip or tar archive that can be read")
	ErrDamaged   = errors.New("the archive is damaged")
	ErrEncrypted = errors.New("protected by a password")
	ErrTooLarge  = errors.New("too large")
	ErrNoMember  = errors.New("no such member")
)

// Member is a file or folder of an archive.
type Member struct {
	Name     string // as the archive has it; not a path to be used
	Folder   bool
	Size     int64 // unpacked, in bytes, as the archive says
	Packed   int64 // in bytes; 0 when the archive does not say
	Modified time.Time
	Link     string // what it points to, for a link
	Locked   bool   // protected by a password
	// Unsafe says that the name leads out of the folder it would be unpacked
	// in, or hides what it is.
	Unsafe bool
}

// List calls each for the members, in the order of the archive, until each
// answers false. The format is zip, tar, tar.gz or tar.bz2.
func List(ctx context.Context, data []byte, each func(Member) bool) (format string, err error) {
	format, err = detect(data)
	if err != nil {
		return "", err
	}
	if format == "zip" {
		z, err := openZip(data)
		if err != nil {
			return format, err
		}
		for i, f := range z.File {
			if i >= MaxMembers {
				return format, fmt.Errorf("%w: it has more than %d members", ErrTooLarge, MaxMembers)
			}
			if err := ctx.Err(); err != nil {
				return format, err
			}
			if !each(zipMember(f)) {
				return format, nil
			}
		}
		return format, nil
	}
	err = walkTar(ctx, data, format, func(m Member, _ io.Reader) (bool, error) { return each(m), nil })
	return format, err
}

// Read is the content of the member of that name, of at most limit bytes. When
// several have the name it is the last, which is the one that unpacking leaves.
func Read(ctx context.Context, data []byte, name string, limit int64) (Member, []byte, error) {
	format, err := detect(data)
	if err != nil {
		return Member{}, nil, err
	}
	if format == "zip" {
		return readZip(ctx, data, name, limit)
	}
	var found *Member
	var content []byte
	err = walkTar(ctx, data, format, func(m Member, r io.Reader) (bool, error) {
		if m.Name != name {
			return true, nil
		}
		if m.Folder || m.Link != "" {
			found, content = &m, nil
			return true, nil
		}
		c, err := take(ctx, r, limit, m.Size, 0)
		if err != nil {
			return false, err
		}
		found, content = &m, c
		return true, nil
	})
	switch {
	case err != nil:
		return Member{}, nil, err
	case found == nil:
		return Member{}, nil, ErrNoMember
	case found.Folder, found.Link != "":
		return *found, nil, fmt.Errorf("%w: it is a folder or a link", ErrNoMember)
	}
	return *found, content, nil
}

func detect(data []byte) (string, error) {
	switch {
	case len(data) > MaxArchive:
		return "", fmt.Errorf("%w: archives of up to %d MiB are read", ErrTooLarge, MaxArchive>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return "zip", nil
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return "tar.gz", nil
	case bytes.HasPrefix(data, []byte("BZh")):
		return "tar.bz2", nil
	case len(data) > 262 && string(data[257:262]) == "ustar", old(data):
		return "tar", nil
	}
	return "", ErrFormat
}

// old reports whether data are a tar archive from before POSIX.
func old(data []byte) bool {
	if len(data) < 512 {
		return false
	}
	h, err := tar.NewReader(bytes.NewReader(data)).Next()
	return err == nil && h.Name != ""
}

func openZip(data []byte) (*zip.Reader, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("%w: it is cut off or no zip archive", ErrDamaged)
	}
	return z, nil
}

func zipMember(f *zip.File) Member {
	m := Member{
		Name: zipName(f), Size: size(f.UncompressedSize64), Packed: size(f.CompressedSize64), Modified: f.Modified,
		Folder: strings.HasSuffix(f.Name, "/"), Locked: f.Flags&1 != 0, // APPNOTE 4.4.4, bit 0
	}
	m.Unsafe = unsafe(m.Name)
	return m
}

// zipName is a name in UTF-8; older archives are in the code page of DOS.
func zipName(f *zip.File) string {
	if utf8.ValidString(f.Name) {
		return f.Name
	}
	if name, err := charmap.CodePage437.NewDecoder().String(f.Name); err == nil {
		return name
	}
	return strings.ToValidUTF8(f.Name, "\ufffd")
}

func size(n uint64) int64 { return int64(min(n, 1<<62)) }

func readZip(ctx context.Context, data []byte, name string, limit int64) (Member, []byte, error) {
	z, err := openZip(data)
	if err != nil {
		return Member{}, nil, err
	}
	var found *zip.File
	for i, f := range z.File {
		if i >= MaxMembers {
			break
		}
		if zipName(f) == name {
			found = f
		}
	}
	if found == nil {
		return Member{}, nil, ErrNoMember
	}
	m := zipMember(found)
	switch {
	case m.Folder:
		return m, nil, fmt.Errorf("%w: it is a folder", ErrNoMember)
	case m.Locked:
		return m, nil, ErrEncrypted
	}
	r, err := found.Open()
	if err != nil {
		return m, nil, damage(err)
	}
	defer r.Close()
	content, err := take(ctx, r, limit, m.Size, m.Packed)
	return m, content, err
}

// take reads a member within limit, whatever the archive says of its size.
func take(ctx context.Context, r io.Reader, limit, said, packed int64) ([]byte, error) {
	if said > limit {
		return nil, fmt.Errorf("%w: it has %d bytes, where %d are the most", ErrTooLarge, said, limit)
	}
	var b bytes.Buffer
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := io.CopyN(&b, r, 1<<20)
		switch {
		case int64(b.Len()) > limit:
			return nil, fmt.Errorf("%w: it unpacks to more than %d bytes", ErrTooLarge, limit)
		case packed > 0 && int64(b.Len()) > ratioFrom && int64(b.Len())/packed > maxRatio:
			return nil, fmt.Errorf("%w: it unpacks to more than %d times its size, as a zip bomb does", ErrTooLarge, maxRatio)
		case errors.Is(err, io.EOF) && n < 1<<20:
			return b.Bytes(), nil
		case err != nil:
			return nil, damage(err)
		}
	}
}

// walkTar calls each for the members of a tar archive, until it answers false.
func walkTar(ctx context.Context, data []byte, format string, each func(Member, io.Reader) (bool, error)) error {
	in, err := unpacked(data, format)
	if err != nil {
		return err
	}
	bounded := &counting{ctx: ctx, r: in, packed: int64(len(data)), compressed: format != "tar"}
	t := tar.NewReader(bounded)
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, tar.ErrInsecurePath):
		case n == 0 && errors.Is(err, tar.ErrHeader) && format != "tar":
			return fmt.Errorf("%w: what is compressed in it is no tar archive", ErrFormat)
		case err != nil:
			return damage(err)
		}
		if n >= MaxMembers {
			return fmt.Errorf("%w: it has more than %d members", ErrTooLarge, MaxMembers)
		}
		m := Member{
			Name: strings.ToValidUTF8(h.Name, "\ufffd"), Size: h.Size, Modified: h.ModTime,
			Folder: h.Typeflag == tar.TypeDir, Link: strings.ToValidUTF8(h.Linkname, "\ufffd"),
		}
		m.Unsafe = unsafe(m.Name) || m.Link != "" && unsafe(path.Join(path.Dir(m.Name), m.Link))
		if strings.HasPrefix(m.Link, "/") {
			m.Unsafe = true
		}
		more, err := each(m, t)
		if err != nil || !more {
			return err
		}
	}
}

func unpacked(data []byte, format string) (io.Reader, error) {
	r := bytes.NewReader(data)
	switch format {
	case "tar.gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, damage(err)
		}
		return bufio.NewReader(z), nil
	case "tar.bz2":
		return bufio.NewReader(bzip2.NewReader(r)), nil
	}
	return r, nil
}

// counting bounds what is unpacked of a tar archive.
type counting struct {
	ctx          context.Context
	r            io.Reader
	read, packed int64
	compressed   bool
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if c.read += int64(n); c.read > MaxScan {
		return 0, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrTooLarge, MaxScan>>20)
	}
	if c.compressed && c.read > ratioFrom && c.read/max(1, c.packed) > maxRatio {
		return 0, fmt.Errorf("%w: it unpacks to more than %d times its size, as a bomb does", ErrTooLarge, maxRatio)
	}
	return n, err
}

func damage(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut off", ErrDamaged)
	case errors.Is(err, zip.ErrAlgorithm):
		return fmt.Errorf("%w: it is packed by a method that is not known here", ErrFormat)
	case errors.As(err, &corrupt), errors.Is(err, zip.ErrChecksum), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("%w: its compressed data are wrong", ErrDamaged)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// unsafe reports whether a name leads elsewhere or hides what it is.
func unsafe(name string) bool {
	slashes := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(slashes, "/") || len(slashes) > 1 && slashes[1] == ':' {
		return true
	}
	for part := range strings.SplitSeq(slashes, "/") {
		if part == ".." {
			return true
		}
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return true
		}
	}
	return false
}
