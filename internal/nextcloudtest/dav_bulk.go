package nextcloudtest

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// bulkFile is one part of a bulk upload.
type bulkFile struct {
	path    string
	content []byte
}

// readBulk reads multipart/related with a path and an MD5 sum in the head of each part.
func readBulk(r *http.Request) ([]bulkFile, *davFailure) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, davBadRequest("%s", err)
	}
	var files []bulkFile
	for parts := multipart.NewReader(r.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, davBadRequest("%s", err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, davBadRequest("%s", err)
		}
		if sum := part.Header.Get("X-File-Md5"); sum != "" && sum != md5Hex(string(content)) {
			return nil, davBadRequest("Computed md5 hash is incorrect (%s).", md5Hex(string(content)))
		}
		files = append(files, bulkFile{path: part.Header.Get("X-File-Path"), content: content})
	}
}
