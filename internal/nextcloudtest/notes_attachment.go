package nextcloudtest

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// maxAttachments bounds the files of one account, maxAttachment the bytes of one.
const (
	maxAttachments = 1000
	maxAttachment  = 16 << 20
)

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
	target := path.Join("/", n.folder, n.category, strings.ReplaceAll(r.text("path"), `\`, "/"))
	file, ok := r.book.files[target]
	if !ok || !strings.HasPrefix(target, "/"+n.folder+"/") {
		r.fail(errNoNote)
		return
	}
	h := r.w.Header()
	h.Set("Cache-Control", "private, max-age=3600, must-revalidate")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(target)))
	h.Set("Content-Type", typeOfName(target))
	_, _ = r.w.Write(file.content)
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
	if err != nil || len(content) > maxAttachment || len(r.book.files) >= maxAttachments {
		r.fail(errNotesFull)
		return
	}
	// Notes: of the given name only what is between the first and the second dot survives.
	extension := ""
	if parts := strings.Split(header.Filename, "."); len(parts) > 1 {
		extension = safeName(parts[1])
	}
	r.book.lastID++
	name := fmt.Sprintf("%s.%s", md5Hex(fmt.Sprintf("%d-%d-%s", r.book.lastID, r.book.now().UnixNano(), header.Filename)), extension)
	r.book.files[path.Join("/", n.folder, n.category, name)] = &noteFile{content: content, modified: r.book.now()}
	writeJSON(r.w, http.StatusOK, map[string]string{"filename": name})
}

// typeOfName is the media type that Nextcloud derives from a file name.
func typeOfName(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".md":
		return "text/markdown"
	case ".txt":
		return "text/plain"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
	}
	return "application/octet-stream"
}

// folders lists every folder of a tree of files, the root included.
func folders(tree map[string]*noteFile, notesPath string) map[string]bool {
	found := map[string]bool{"/": true}
	add := func(dir string) {
		for ; dir != "/" && dir != "."; dir = path.Dir(dir) {
			found[dir] = true
		}
	}
	add("/" + notesPath)
	for _, name := range slices.Collect(maps.Keys(tree)) {
		add(path.Dir(name))
	}
	return found
}
