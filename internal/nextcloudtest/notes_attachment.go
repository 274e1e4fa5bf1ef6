package nextcloudtest

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
)

// maxAttachment bounds the bytes of one file.
const maxAttachment = 16 << 20

// attachment answers /attachment/{id} of version 1.4: GET reads a file relative to the note's category, POST stores one
// under a made-up name beside the note.
func (r *notesRequest) attachment(id int) {
	n, err := r.book.get(id)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		r.wrongMethod()
	case err != nil:
		r.fail(err)
	case r.Method == http.MethodGet:
		r.readAttachment(n)
	default:
		r.w.Header().Set("X-Notes-API-Versions", "0.2, 1.3, 1.4")
		r.storeAttachment(n)
	}
}

func (r *notesRequest) readAttachment(n *note) {
	// Clean keeps ".." below the user's files; the app then refuses what is outside the notes folder.
	target := path.Join(r.book.root(), n.category, strings.ReplaceAll(r.text("path"), `\`, "/"))
	p, ok := r.book.files.find(target)
	if !ok || p.node.isFolder() || !strings.HasPrefix(target, r.book.root()+"/") {
		r.fail(errNoNote)
		return
	}
	h := r.w.Header()
	h.Set("Cache-Control", "private, max-age=3600, must-revalidate")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(target)))
	h.Set("Content-Type", typeOfName(target))
	_, _ = r.w.Write(p.node.content.data)
}

func (r *notesRequest) storeAttachment(n *note) {
	if n.readOnly {
		r.fail(errNoteReadOnly)
		return
	}
	upload, header, err := r.FormFile("file")
	if err != nil {
		// Notes: without a file the upload is answered with an empty 400.
		writeJSON(r.w, http.StatusBadRequest, []int{})
		return
	}
	defer upload.Close()
	content, err := io.ReadAll(io.LimitReader(upload, maxAttachment+1))
	if err != nil || len(content) > maxAttachment {
		r.fail(errNotesFull)
		return
	}
	// Notes: of the given name only what is between the first and the second dot survives.
	extension := ""
	if parts := strings.Split(header.Filename, "."); len(parts) > 1 {
		extension = safeName(parts[1])
	}
	folder := n.spot.node.parent
	seed := fmt.Sprintf("%d-%d-%s", r.book.files.store.lastID, r.book.now().UnixNano(), header.Filename)
	name := fmt.Sprintf("%s.%s", md5Hex(seed), extension)
	if _, err := r.book.files.store.write(folder, name, blob{data: content}, 0, r.book.files.owner.id); err != nil {
		r.fail(errNotesFull)
		return
	}
	writeJSON(r.w, http.StatusOK, map[string]string{"filename": name})
}
