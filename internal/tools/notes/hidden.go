package notes

import (
	"context"
	"path"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/tool"
)

// A note is a file, so a tag that excludes files excludes notes as well. All of
// this costs requests only on servers that exclude something.

// shown is a note unless its file is excluded.
func shown(ctx context.Context, n *api.Note, err error) (*api.Note, error) {
	if err != nil {
		return nil, err
	}
	return n, checkNote(ctx, n)
}

func checkNote(ctx context.Context, n *api.Note, beside ...string) error {
	if !tool.Hiding(ctx) {
		return nil
	}
	if n.Path == "" {
		return &nextcloud.Error{Op: "check the note", Kind: nextcloud.ErrUnavailable, Message: "this server excludes files by their tags, and this version of Notes does not say which file a note is"}
	}
	paths := []string{n.Path}
	for _, name := range beside {
		paths = append(paths, path.Join(path.Dir(n.Path), name))
	}
	return tool.CheckHidden(ctx, paths...)
}

// reachable checks a note that is about to be changed, or a file beside it that
// is about to be read.
func reachable(ctx context.Context, notes *api.Client, id int64, beside ...string) error {
	if !tool.Hiding(ctx) {
		return nil
	}
	n, err := notes.Get(ctx, id)
	if err != nil {
		return err
	}
	return checkNote(ctx, n, beside...)
}

// folderReachable checks the folder that a note is about to be put into.
func folderReachable(ctx context.Context, notes *api.Client, category string) error {
	if !tool.Hiding(ctx) {
		return nil
	}
	s, err := notes.Settings(ctx)
	if err != nil {
		return err
	}
	return tool.CheckHidden(ctx, path.Join("/", s.NotesPath, category), path.Join("/", s.NotesPath, cleaned(category)))
}

// cleaned is a category as the Notes app makes it one: without the characters
// that some file systems do not take.
func cleaned(category string) string {
	category = strings.NewReplacer("*", "", "|", "", `\`, "", ":", "", `"`, "", "<", "", ">", "", "?", "").Replace(category)
	segments := strings.Split(category, "/")
	for i, s := range segments {
		segments[i] = strings.TrimSpace(strings.TrimLeft(s, ". "))
	}
	return strings.Join(segments, "/")
}
