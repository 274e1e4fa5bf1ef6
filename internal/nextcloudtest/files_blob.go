package nextcloudtest

import (
	"bytes"
	"io"
)

// blob is the content of a file. What a server was told to forget is a hole: its length is known and it reads as zeros.
type blob struct {
	data []byte
	hole int64 // bytes after data
}

func (b blob) size() int64 { return int64(len(b.data)) + b.hole }

// kept is how many bytes it takes in memory.
func (b blob) kept() int64 { return int64(len(b.data)) }

// open reads from an offset.
func (b blob) open(offset int64) io.Reader {
	if kept := b.kept(); offset > kept {
		return io.LimitReader(zeros{}, b.size()-offset)
	}
	return io.MultiReader(bytes.NewReader(b.data[offset:]), io.LimitReader(zeros{}, b.hole))
}

// join puts contents in a row; behind the first hole everything is one.
func join(parts []blob) blob {
	var out blob
	for _, p := range parts {
		if out.hole == 0 {
			out.data = append(out.data, p.data...)
			out.hole = p.hole
			continue
		}
		out.hole += p.size()
	}
	return out
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// readBlob reads a request's body, or counts it only.
func readBlob(r io.Reader, forget bool) (blob, error) {
	if forget {
		n, err := io.Copy(io.Discard, r)
		return blob{hole: n}, err
	}
	data, err := io.ReadAll(r)
	return blob{data: data}, err
}
