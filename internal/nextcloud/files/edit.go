package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// MaxEdit is the largest text that is edited, in bytes.
const MaxEdit = 8 << 20

// Edit changes the text of a file. It is read, changed and written back over
// exactly the version that was read, in the charset that it had; with an etag,
// only when the file is still that version.
func (c *Client) Edit(ctx context.Context, name, etag string, change func(text string) (string, error)) (*Written, error) {
	op := named("edit", name)
	if _, _, err := c.newFile(ctx, op, name); err != nil {
		return nil, err
	}
	if etag != "" && !validETag(etag) {
		return nil, invalidf(op, "the etag is not one that an earlier answer gave")
	}
	return c.edit(ctx, op, name, etag, change)
}

func (c *Client) edit(ctx context.Context, op, name, etag string, change func(text string) (string, error)) (*Written, error) {
	got, err := c.readSettled(ctx, name, MaxEdit)
	if err != nil {
		return nil, err
	}
	if etag != "" && nextcloud.UnquoteETag(etag) != got.ETag {
		return nil, &nextcloud.Error{
			Op: op, Kind: nextcloud.ErrPrecondition,
			Message: fmt.Sprintf("its etag is now %s, its size %d bytes", got.ETag, got.Size),
		}
	}
	charset, text := Sniff(got.Data)
	if !text {
		return nil, invalidf(op, "it is not a text (%s)", got.Type)
	}
	old := charset.Decode(got.Data, true)
	if back, err := charset.Encode(old); err != nil || !bytes.Equal(back, got.Data) {
		return nil, invalidf(op, "it holds bytes that are no text in %s, which would be lost", charset)
	}
	changed, err := change(old)
	if err != nil {
		return nil, invalidf(op, "%s", err)
	}
	if changed == old {
		return nil, invalidf(op, "the change changes nothing")
	}
	data, err := charset.Encode(changed)
	if err != nil {
		return nil, invalidf(op, "%s", err)
	}
	if len(data) > MaxEdit {
		return nil, invalidf(op, "the text would be longer than %d bytes", MaxEdit)
	}
	return c.Write(ctx, name, bytes.NewReader(data), int64(len(data)), Guard{ETag: got.ETag}, &WriteOptions{Type: got.Type})
}

// appendTries bounds Append: the first try and two more.
const appendTries = 3

// Append adds text at the end of a file, after a line break when the file does
// not end in one. Each try is guarded by the version it has just read.
func (c *Client) Append(ctx context.Context, name, text string) (*Written, error) {
	op := named("append to", name)
	if text == "" {
		return nil, invalidf(op, "there is nothing to append")
	}
	for try := 1; ; try++ {
		w, err := c.edit(ctx, op, name, "", func(old string) (string, error) {
			end := lineEnd(old)
			if old != "" && !strings.HasSuffix(old, "\n") {
				old += end
			}
			return old + withLineEnds(text, end), nil
		})
		// Trying again is safe: what somebody else wrote meanwhile is read again
		// and kept, and ours goes after it.
		if err == nil || !errors.Is(err, nextcloud.ErrPrecondition) || try == appendTries {
			return w, err
		}
	}
}

// lineEnd is how the lines of a text end.
func lineEnd(text string) string {
	if n := strings.Count(text, "\r\n"); n > 0 && n*2 > strings.Count(text, "\n") {
		return "\r\n"
	}
	return "\n"
}

// withLineEnds is a text with other line ends.
func withLineEnds(text, end string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if end != "\n" {
		text = strings.ReplaceAll(text, "\n", end)
	}
	return text
}

// Replace is a change for Edit: it replaces a passage that is there exactly
// once, or each time when all is set. Line ends need not agree.
func Replace(passage, with string, all bool) func(string) (string, error) {
	return func(text string) (string, error) {
		if passage == "" {
			return "", errors.New("the passage to replace is empty")
		}
		end := lineEnd(text)
		old, replacement := passage, with
		n := strings.Count(text, old)
		if n == 0 && end != "\n" {
			old, replacement = withLineEnds(passage, end), withLineEnds(with, end)
			n = strings.Count(text, old)
		}
		switch {
		case n == 0:
			return "", errors.New("the passage to replace is not in the text; it has to be given exactly, with all spaces" + nearMiss(text, passage))
		case n > 1 && !all:
			return "", fmt.Errorf("the passage to replace is there %d times, in lines %s: give more of what is around it, or say that all are meant", n, lines(text, old))
		}
		return strings.ReplaceAll(text, old, replacement), nil
	}
}

// nearMiss says where the passage is when spaces do not count.
func nearMiss(text, passage string) string {
	words := strings.Join(strings.Fields(passage), " ")
	if words == "" {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(passage), "\n")
	first = strings.Join(strings.Fields(first), " ")
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.Contains(strings.Join(strings.Fields(line), " "), first) {
			return fmt.Sprintf(" (its first line looks like line %d)", n)
		}
	}
	return ""
}

// lines are the numbers of the first lines in which a passage begins.
func lines(text, passage string) string {
	const most = 5
	var out []string
	line, rest := 1, text
	for {
		i := strings.Index(rest, passage)
		if i < 0 {
			break
		}
		if len(out) == most {
			out = append(out, "…")
			break
		}
		line += strings.Count(rest[:i], "\n")
		out = append(out, strconv.Itoa(line))
		line += strings.Count(rest[i:i+len(passage)], "\n")
		rest = rest[i+len(passage):]
	}
	return strings.Join(out, ", ")
}
