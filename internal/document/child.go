package document

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxHead bounds the first line of a child's input, in bytes.
const maxHead = 64 << 10

// Child reads one document from in and prints what it is to out, as JSON; it
// is the other side of an Extractor with a Command. The first line of in is
// the request, the rest is the file. The result is the exit code.
func Child(ctx context.Context, in io.Reader, out io.Writer) int {
	var a answer
	doc, err := child(ctx, in)
	if err == nil {
		a.Document = doc
	} else {
		a.Kind, a.Message = "damaged", "the document cannot be read"
		if e, ok := errors.AsType[*Error](err); ok {
			a.Message = e.Message
			for name, kind := range kinds {
				if errors.Is(e, kind) {
					a.Kind = name
				}
			}
			err = e.Err
		}
		if err != nil {
			a.Detail = fmt.Sprintf("%.2000s", err.Error())
		}
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if enc.Encode(a) != nil || a.Document == nil {
		return childFailed
	}
	return 0
}

func child(ctx context.Context, in io.Reader) (*Document, error) {
	r := bufio.NewReaderSize(in, maxHead)
	head, err := r.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	var req Request
	if err := json.Unmarshal(head, &req); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	var data bytes.Buffer
	if _, err := data.ReadFrom(io.LimitReader(r, MaxInput+1)); err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return Read(ctx, data.Bytes(), req)
}
