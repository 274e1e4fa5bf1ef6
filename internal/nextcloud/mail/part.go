package mail

import (
	"context"
	"mime"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// MaxAttachment is the largest attachment that is read, in bytes.
const MaxAttachment = 5 << 20

// File is the content of an attachment.
type File struct {
	Name string
	MIME string // without parameters
	Data []byte
}

// Attachment reads one attachment of a message.
//
// Nextcloud: OCS has a route for it that fails for whatever is not UTF-8, so
// the one of the app's own pages is used.
func (c *Client) Attachment(ctx context.Context, id int64, attachment string) (*File, error) {
	target, err := nextcloud.Path(path(ownBase+"/messages", number(id), "attachment"), attachment)
	if err != nil {
		return nil, err
	}
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: "read attachment " + attachment + " of message " + number(id), Path: target, Accept: "*/*", MaxBody: MaxAttachment})
	if err != nil {
		return nil, explain(err)
	}
	file := &File{Data: res.Body, MIME: "application/octet-stream"}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil {
		file.MIME = kind
	}
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil {
		file.Name = params["filename"]
	}
	return file, nil
}

// Source is the message as it was sent (RFC 5322).
func (c *Client) Source(ctx context.Context, id int64) (string, error) {
	op := "read the source of message " + number(id)
	var text lenient.Text
	err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: path(ocsBase+"/message", number(id), "raw"), MaxBody: maxSource}, &text)
	if err == nil {
		return string(text), nil
	}
	if !lacks(err) && !failedOn(err, http.StatusInternalServerError) {
		return "", explain(err)
	}
	// Nextcloud: OCS cannot say what is not UTF-8; the export can.
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: op, Path: path(ownBase+"/messages", number(id), "export"), Accept: "*/*", MaxBody: maxSource})
	if err != nil {
		return "", explain(err)
	}
	return strings.ToValidUTF8(string(res.Body), "\ufffd"), nil
}

// maxSource bounds the source of a message, in bytes; its attachments are in it.
const maxSource = 16 << 20
