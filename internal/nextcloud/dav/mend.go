package dav

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// mend makes a document that is not quite UTF-8 readable. Nextcloud puts what
// other programs stored into its answers as it is, and some of them fold long
// lines of calendars and contacts in the middle of a character (RFC 5545, 3.1
// allows it). There the fold is taken out, which changes no meaning. Any other
// byte that is no UTF-8 becomes U+FFFD, so that one resource does not make all
// the others unreadable.
func mend(r io.Reader) io.Reader { return &mender{r: r} }

type mender struct {
	r    io.Reader
	in   []byte // read, and not looked at
	out  []byte // ready to be handed out
	done error  // what the reader ended with
}

// mendAhead is how many bytes have to be known to mend one character: its own,
// and the longest fold in XML, "&#13;\n ".
const mendAhead = 16

func (m *mender) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		if m.done != nil && len(m.in) == 0 {
			return 0, m.done
		}
		if m.done == nil {
			chunk := make([]byte, 32<<10)
			n, err := m.r.Read(chunk)
			m.in, m.done = append(m.in, chunk[:n]...), err
		}
		m.work()
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// work moves what can be judged from in to out.
func (m *mender) work() {
	if utf8.Valid(m.in) && (m.done != nil || len(m.in) == 0 || m.in[len(m.in)-1] < utf8.RuneSelf) {
		m.out, m.in = m.in, nil
		return
	}
	i := 0
	for i < len(m.in) {
		if m.in[i] < utf8.RuneSelf {
			m.out = append(m.out, m.in[i])
			i++
			continue
		}
		_, size := utf8.DecodeRune(m.in[i:])
		if size > 1 {
			m.out = append(m.out, m.in[i:i+size]...)
			i += size
			continue
		}
		if len(m.in)-i < mendAhead && m.done == nil {
			break
		}
		if whole, used := unfolded(m.in[i:]); used > 0 {
			m.out = append(m.out, whole...)
			i += used
			continue
		}
		m.out = append(m.out, "\uFFFD"...)
		i++
	}
	m.in = append([]byte(nil), m.in[i:]...)
}

// unfolded is the character that b begins with when a fold in its middle is
// left out, and how many bytes of b that were; 0 when there is none.
func unfolded(b []byte) (whole []byte, used int) {
	whole = append(whole, b[0])
	used = 1
	folds := 0
	for !utf8.FullRune(whole) || !utf8.Valid(whole) {
		switch rest := b[used:]; {
		case len(whole) >= utf8.UTFMax || len(rest) == 0:
			return nil, 0
		case rest[0]&0xC0 == 0x80:
			whole = append(whole, rest[0])
			used++
		case folds > 0:
			return nil, 0
		default:
			n := foldLength(rest)
			if n == 0 {
				return nil, 0
			}
			used += n
			folds++
		}
	}
	return whole, used
}

func foldLength(b []byte) int {
	for _, fold := range []string{"\n ", "\n\t", "\r\n ", "\r\n\t", "&#13;\n ", "&#13;\n\t"} {
		if bytes.HasPrefix(b, []byte(fold)) {
			return len(fold)
		}
	}
	return 0
}
