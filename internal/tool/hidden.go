package tool

import (
	"context"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
)

// hidden is what the excluded tags take away from the caller; nil where there
// are none. An error means that nothing may be reached.
func hidden(ctx context.Context) (*exclusion.Set, error) {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok || info.nc == nil {
		return nil, Invalidf("outside of a call no file can be reached")
	}
	return info.excluded.Excluded(ctx, info.nc)
}

// Hiding reports whether this server excludes files by their tags, for work
// that is needed only then.
func Hiding(ctx context.Context) bool {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	return !ok || info.excluded != nil
}

// CheckHidden answers an error for the model when one of the paths is excluded
// by a tag. It is for what is no file to the person but lies in one, such as a
// note; whatever is a file to them is checked with CheckPath.
func CheckHidden(ctx context.Context, paths ...string) error {
	if !Hiding(ctx) {
		return nil
	}
	set, err := hidden(ctx)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if set.Hides(path) {
			return notThere(path)
		}
	}
	return nil
}

// notThere is how an excluded path answers: as one that is not there.
func notThere(path string) error {
	return &nextcloud.Error{Op: "reach " + shorten(path), Kind: nextcloud.ErrNotFound, Message: "there is no such file, or this server keeps it from assistants"}
}

// CheckPath answers an error for the model when one of the paths may not be
// reached: the caller limits the connection to other folders, or a tag excludes
// it. Every tool that can reach a file calls it for each path before it asks
// Nextcloud about it. Without excluded tags it costs no request.
func CheckPath(ctx context.Context, paths ...string) error {
	p := Policy(ctx)
	for _, path := range paths {
		if !p.AllowsPath(path) {
			return Invalidf("The person limits this connection to these folders: %q. %q is in none of them, and nothing was done; %s.",
				p.Folders, shorten(path), changing(AccountURL(ctx)))
		}
	}
	return CheckHidden(ctx, paths...)
}

// CheckTree is CheckPath for what is done to a folder as a whole (delete, move,
// copy, share, pack): nothing in it may be excluded either.
func CheckTree(ctx context.Context, paths ...string) error {
	if err := CheckPath(ctx, paths...); err != nil || !Hiding(ctx) {
		return err
	}
	set, err := hidden(ctx)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if set.HidesBelow(path) {
			return Invalidf("%q holds something that this server keeps from assistants, so it cannot be worked on as a whole, and nothing was done. Work on the single files in it, or ask the person to do it.", shorten(path))
		}
	}
	return nil
}

// PathFilter is CheckPath for lists: it tells which paths may be shown. The
// error is CheckPath's when that is not known.
func PathFilter(ctx context.Context) (func(path string) bool, error) {
	p := Policy(ctx)
	if !Hiding(ctx) {
		return p.AllowsPath, nil
	}
	set, err := hidden(ctx)
	if err != nil {
		return nil, err
	}
	return func(path string) bool { return p.AllowsPath(path) && !set.Hides(path) }, nil
}

// HiddenFilter is PathFilter without the folders, as CheckHidden is to
// CheckPath.
func HiddenFilter(ctx context.Context) (func(path string) bool, error) {
	if !Hiding(ctx) {
		return func(string) bool { return true }, nil
	}
	set, err := hidden(ctx)
	if err != nil {
		return nil, err
	}
	return func(path string) bool { return !set.Hides(path) }, nil
}

// TagsChanged makes what follows ask again which files are excluded.
func TagsChanged(ctx context.Context) {
	if info, ok := ctx.Value(callKey{}).(*callInfo); ok && info.nc != nil {
		info.excluded.Forget(ctx, info.nc)
	}
}

// What is in the trash is excluded while tags exclude anything: Nextcloud does
// not tell the tags of what was deleted. Only what this server deleted itself,
// after it had checked it, is known.
const trashKey = "trashed "

// Trashed remembers that something whose path was checked is in the trash now,
// under that name, so that the deletion can be undone.
func Trashed(ctx context.Context, item string) {
	if info, ok := ctx.Value(callKey{}).(*callInfo); ok && info.nc != nil && info.excluded != nil && item != "" {
		info.nc.Store(ctx, trashKey+item, true, len(item)+100)
	}
}

// TrashFilter tells which items of the trash may be reached, by their names
// there and the paths that they had.
func TrashFilter(ctx context.Context) (func(item, path string) bool, error) {
	shown, err := PathFilter(ctx)
	if err != nil {
		return nil, err
	}
	if !Hiding(ctx) {
		return func(_, path string) bool { return shown(path) }, nil
	}
	info, _ := ctx.Value(callKey{}).(*callInfo)
	return func(item, path string) bool {
		_, known := info.nc.Cached(ctx, trashKey+item)
		return known && shown(path)
	}, nil
}

// HidesTag reports whether a tag excludes what carries it. Such tags are for
// people to set.
func HidesTag(ctx context.Context, name string) bool {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	return !ok || slices.ContainsFunc(info.excluded.Tags(), func(tag string) bool { return strings.EqualFold(tag, strings.TrimSpace(name)) })
}
