package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"path"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/notes"
)

func notesAttachment(t *testing.T, n *notebook) {
	data := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0xff, 0xfe, '<')
	for _, below := range []string{"", "With/Deep Category"} {
		made := n.create(t, "Attached", "", below)
		name := n.upload(t, made, "plan.png", data)
		a, err := n.Attachment(t.Context(), made.ID, name)
		if err != nil {
			t.Errorf("%q: %v", below, err)
			continue
		}
		if a.Name != name || a.Type != "image/png" || !bytes.Equal(a.Data, data) {
			t.Errorf("%q: %s %s %q", below, a.Name, a.Type, a.Data)
		}
		if _, err := n.Attachment(t.Context(), made.ID, "not "+name); !errors.Is(err, nextcloud.ErrNotFound) || errors.Is(err, nextcloud.ErrAppMissing) {
			t.Errorf("%q: a name that is not there: %v", below, err)
		}
		for _, name := range []string{"../" + name, `..\x`, ""} {
			if _, err := n.Attachment(t.Context(), made.ID, name); !errors.Is(err, nextcloud.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// upload puts a file beside a note, as the Notes app does when a person drops
// an image into it, and answers the name it got.
func (n *notebook) upload(t *testing.T, note *notes.Note, name string, data []byte) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	res, err := n.nc.Do(t.Context(), nextcloud.Request{
		Op: "upload", Method: http.MethodPost, Path: fmt.Sprintf("/index.php/apps/notes/api/v1.4/attachment/%d", note.ID),
		Body: body.Bytes(), Type: form.FormDataContentType(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Filename string `json:"filename"`
	}
	if err := json.Unmarshal(res.Body, &answer); err != nil || answer.Filename == "" {
		t.Fatalf("upload: %v, %q", err, res.Body)
	}
	t.Cleanup(func() { n.removeFile(t, path.Dir(note.Path)+"/"+answer.Filename) })
	return answer.Filename
}

// removeFile removes what deleting a note leaves behind. It runs before the
// note is deleted, whose empty folder the server removes.
func (n *notebook) removeFile(t *testing.T, file string) {
	ctx := context.WithoutCancel(t.Context())
	user, err := n.nc.UserID(ctx)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	target, err := nextcloud.PathTree("/remote.php/dav/files/"+string(user), file)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	_, err = n.nc.Do(ctx, nextcloud.Request{Op: "clean up", Method: http.MethodDelete, Path: target, Accept: "*/*"})
	if err != nil {
		t.Logf("left behind %s: %v", file, err)
	}
}
