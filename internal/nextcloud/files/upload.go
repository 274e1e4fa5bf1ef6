package files

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Source is a file that is not in Nextcloud yet.
type Source struct {
	Size int64 // in bytes; negative when not known
	// Identity is the same for the same content only. With it and a known size,
	// an upload that was cut goes on where it was; empty when there is none.
	Identity string
	// Open reads from that byte on.
	Open func(ctx context.Context, offset int64) (io.ReadCloser, error)
	// Unchanged says, after all was read, whether it was the same content all
	// the time; may be nil.
	Unchanged func() error
}

// UploadOptions are the optional parts of an upload; nil means all defaults.
type UploadOptions struct {
	Guard   Guard
	Parents bool  // make the folders above that are missing
	Limit   int64 // most bytes; default MaxUpload
	Chunk   int64 // bytes of a part, and of memory; default 8 MiB
}

// MaxUpload is the largest file that is uploaded unless another limit is set.
const MaxUpload = 50 << 30

// The bounds of Nextcloud: parts are numbered from 1 to 10,000, and some
// storages want all but the last to have 5 MiB at least.
const (
	defaultChunk = 8 << 20
	maxChunks    = 10_000
	chunkTries   = 3
)

// Upload writes a file of any size in the memory of one part. What fits into
// one part is written at once, anything else as Nextcloud's chunked upload v2,
// of which nothing is to be seen before it is complete. The error of an upload
// that can go on says so; the same call does it.
func (c *Client) Upload(ctx context.Context, name string, src Source, opts *UploadOptions) (*Written, error) {
	if opts == nil {
		opts = &UploadOptions{}
	}
	op := named("upload", name)
	target, clean, err := c.newFile(ctx, op, name)
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(opts.Limit, MaxUpload)
	if src.Size > limit {
		return nil, tooLarge(op, limit)
	}
	u := &upload{c: c, op: op, clean: clean, target: target, src: src, guard: opts.Guard, limit: limit}
	u.chunk = cmp.Or(opts.Chunk, defaultChunk)
	for src.Size > u.chunk*(maxChunks-1) {
		u.chunk *= 2
	}
	if src.Size >= 0 && src.Size <= u.chunk {
		return u.whole(ctx, opts)
	}
	return u.parts(ctx, opts)
}

func tooLarge(op string, limit int64) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrTooLarge, Message: fmt.Sprintf("it is larger than the %d bytes that are allowed", limit)}
}

// upload is one upload under way.
type upload struct {
	c                 *Client
	op, clean, target string
	src               Source
	guard             Guard
	limit, chunk      int64

	folder string // of the parts, encoded
	sent   int64  // bytes that Nextcloud has
}

// whole writes a source of one part.
func (u *upload) whole(ctx context.Context, opts *UploadOptions) (*Written, error) {
	r, err := u.src.Open(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	buf := make([]byte, u.src.Size+1)
	n, err := io.ReadFull(r, buf)
	if err = u.ended(int64(n), err); err != nil {
		return nil, err
	}
	return u.c.Write(ctx, u.clean, bytes.NewReader(buf[:n]), int64(n), u.guard, &WriteOptions{Parents: opts.Parents})
}

// ended checks the end of a source of which total bytes came.
func (u *upload) ended(total int64, err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case err != nil:
		return err
	}
	switch {
	case total > u.limit:
		return tooLarge(u.op, u.limit)
	case u.src.Size >= 0 && total != u.src.Size:
		return invalidf(u.op, "the source has %d bytes where it said %d; nothing was written", total, u.src.Size)
	case u.src.Unchanged != nil:
		return u.src.Unchanged()
	}
	return nil
}

func (u *upload) parts(ctx context.Context, opts *UploadOptions) (*Written, error) {
	// Before gigabytes are sent: may it be written at all?
	if err := u.c.mayWrite(ctx, u.clean, u.guard); err != nil {
		return nil, err
	}
	if opts.Parents && parent(u.clean) != "/" {
		if _, err := u.c.MakeFolder(ctx, parent(u.clean), true); err != nil {
			return nil, err
		}
	}
	user, err := u.c.nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	if u.folder, err = nextcloud.Path(dav.Root+"/uploads", string(user), u.id(string(user))); err != nil {
		return nil, err
	}
	number, err := u.resume(ctx)
	if err == nil {
		err = u.send(ctx, number)
	}
	if err != nil {
		return nil, u.stopped(ctx, err)
	}
	w, err := u.assemble(ctx)
	if err != nil {
		return nil, u.stopped(ctx, err)
	}
	return w, nil
}

// mayWrite checks a guard before the write that it guards.
func (c *Client) mayWrite(ctx context.Context, clean string, guard Guard) error {
	op := named("upload", clean)
	now, err := c.Stat(ctx, clean)
	there := err == nil
	if err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
		return err
	}
	precondition := &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition}
	switch {
	case guard.ETag != "" && !validETag(guard.ETag):
		return invalidf(op, "the etag is not one that an earlier answer gave")
	case there && now.Folder:
		return with(precondition, nextcloud.ErrPrecondition, "a folder of this name is there")
	case there && !guard.Overwrite && !guard.Existing && nextcloud.UnquoteETag(guard.ETag) != now.ETag,
		!there && (guard.ETag != "" || guard.Existing):
		return c.inTheWay(ctx, clean, guard, precondition)
	}
	return nil
}

// resumable reports whether the parts mean something to the next upload.
func (u *upload) resumable() bool { return u.src.Identity != "" && u.src.Size >= 0 }

// id names the folder of the parts.
func (u *upload) id(user string) string {
	if !u.resumable() {
		return "mcp-" + rand.Text()
	}
	h := sha256.New()
	for _, s := range []string{user, u.clean, u.src.Identity, strconv.FormatInt(u.src.Size, 10), strconv.FormatInt(u.chunk, 10)} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return "mcp-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func (u *upload) header() http.Header {
	h := http.Header{"Destination": {u.c.nc.Host().Base().String() + u.target}}
	if u.src.Size >= 0 {
		h.Set("OC-Total-Length", strconv.FormatInt(u.src.Size, 10))
	}
	return h
}

// resume makes the folder of the parts, or finds which of them are there, and
// answers the number of the first part to send.
func (u *upload) resume(ctx context.Context) (int, error) {
	q := dav.Query{Op: u.op, Path: u.folder, Header: u.header(), Depth: dav.Children}
	err := u.c.dav.Mkcol(ctx, q)
	if err == nil {
		return 1, nil
	}
	if e, ok := errors.AsType[*nextcloud.Error](err); !ok || e.Status != http.StatusMethodNotAllowed || !u.resumable() {
		return 0, err
	}
	sizes := map[string]int64{}
	for r, err := range u.c.dav.PropfindEach(ctx, q, davLength) {
		if err != nil {
			return 0, err
		}
		sizes[dav.Base(r.Href)] = number(r.Prop(davLength).String(), -1)
	}
	// A part that did not arrive whole is sent again, and so is all after it.
	n := 1
	for size, there := sizes[part5(n)]; there && size == min(u.chunk, u.src.Size-u.sent) && size > 0; size, there = sizes[part5(n)] {
		u.sent += size
		n++
	}
	return n, nil
}

// part5 is the name of a part. Nextcloud puts them together in the order of
// their names.
func part5(n int) string { return fmt.Sprintf("%05d", n) }

// send sends the parts from that number on.
func (u *upload) send(ctx context.Context, number int) error {
	r, err := u.src.Open(ctx, u.sent)
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, u.chunk)
	for ; ; number++ {
		n, err := io.ReadFull(r, buf)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		if u.sent+int64(n) > u.limit {
			return tooLarge(u.op, u.limit)
		}
		if n > 0 {
			if number > maxChunks {
				return tooLarge(u.op, u.chunk*maxChunks)
			}
			if err := u.put(ctx, number, buf[:n]); err != nil {
				return err
			}
			u.sent += int64(n)
		}
		if last {
			return u.ended(u.sent, nil)
		}
	}
}

// put sends one part. A part can be sent again: it replaces itself.
func (u *upload) put(ctx context.Context, number int, data []byte) error {
	for try := 1; ; try++ {
		_, err := u.c.nc.Do(ctx, nextcloud.Request{
			Op: u.op, Method: http.MethodPut, Path: u.folder + "/" + part5(number), Header: u.header(),
			Reader: bytes.NewReader(data), Length: int64(len(data)), Type: "application/octet-stream", Accept: "application/xml",
		})
		if err == nil || try == chunkTries || !errors.Is(err, nextcloud.ErrUnavailable) || errors.Is(err, nextcloud.ErrMaintenance) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try) * time.Second):
		}
	}
}

// assemble makes the file of its parts.
func (u *upload) assemble(ctx context.Context) (*Written, error) {
	h := u.header()
	h.Set("OC-Total-Length", strconv.FormatInt(u.sent, 10))
	target := dav.Target{Overwrite: dav.Keep, ETag: u.guard.ETag}
	if u.guard.Overwrite || u.guard.Existing || u.guard.ETag != "" {
		target.Overwrite = dav.Replace
	}
	res, err := u.c.dav.Transfer(ctx, "MOVE", dav.Query{Op: u.op, Path: u.folder + "/.file", Header: h}, u.target, target)
	if err == nil {
		return u.c.written(u.clean, u.sent, res), nil
	}
	if !errors.Is(err, nextcloud.ErrUnavailable) {
		return nil, err
	}
	// Putting large files together takes time, and the answer may be lost: the
	// parts are gone exactly when the file is there.
	_, gone := u.c.dav.Propfind(ctx, dav.Query{Op: u.op, Path: u.folder}, davKind)
	if now, statErr := u.c.Stat(ctx, u.clean); errors.Is(gone, nextcloud.ErrNotFound) && statErr == nil && now.Size == u.sent {
		return &Written{Path: u.clean, Size: u.sent, Created: u.guard == Guard{}, ETag: now.ETag, FileID: now.FileID, URL: now.URL}, nil
	}
	return nil, err
}

// stopped says what is left of an upload that failed, and removes what is of
// no use.
func (u *upload) stopped(ctx context.Context, err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	goesOn := u.resumable() && u.sent > 0 && (!ok || errors.Is(e, nextcloud.ErrUnavailable) || errors.Is(e, nextcloud.ErrRateLimited) || errors.Is(e, nextcloud.ErrLocked) || ctx.Err() != nil)
	if goesOn {
		// Without the cause: the end of the call must not hide what is left.
		out := nextcloud.Error{Op: u.op, Kind: nextcloud.ErrPartly}
		why := "it was stopped"
		if ok && e.Message != "" {
			why = e.Message
		}
		out.Message = fmt.Sprintf("%s; %d of %d bytes are in Nextcloud, but not to be seen yet: the same call goes on from there within a day", why, u.sent, u.src.Size)
		return &out
	}
	u.abort(ctx)
	if ok && errors.Is(e, nextcloud.ErrPrecondition) {
		return u.c.inTheWay(ctx, u.clean, u.guard, e)
	}
	if ok && (errors.Is(e, nextcloud.ErrNotFound) || errors.Is(e, nextcloud.ErrConflict)) {
		return with(err, e.Kind, fmt.Sprintf("the folder %s is not there: make it first, or ask for missing folders to be made", parent(u.clean)))
	}
	return u.c.explain(ctx, u.clean, err)
}

// abort removes the parts. The person's call may be over by now.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	// What cannot be removed is removed by Nextcloud after a day.
	_ = u.c.dav.Delete(ctx, dav.Query{Op: "remove the parts of an upload", Path: u.folder}, dav.Condition{})
}
