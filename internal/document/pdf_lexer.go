package document

import (
	"bytes"
	"strconv"
)

// The tokens of a content stream beside float64 and []any.
type (
	operator  string
	pdfName   string
	pdfString []byte
	// pdfMark is a token that means nothing here: a brace, a dictionary.
	pdfMark struct{}
)

// pdfLexer reads the tokens of contents and of CMaps (ISO 32000-1, 7.2, 7.3).
// It never fails: what it does not understand it passes over.
type pdfLexer struct {
	data  []byte
	at    int
	depth int
}

func pdfSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func pdfDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

// next is the next token; false at the end.
func (l *pdfLexer) next() (any, bool) {
	for l.at < len(l.data) {
		c := l.data[l.at]
		switch {
		case pdfSpace(c):
			l.at++
		case c == '%':
			for l.at < len(l.data) && l.data[l.at] != '\n' && l.data[l.at] != '\r' {
				l.at++
			}
		default:
			return l.token(c), true
		}
	}
	return nil, false
}

func (l *pdfLexer) token(c byte) any {
	l.at++
	switch c {
	case '(':
		return l.literal()
	case '<':
		if l.at < len(l.data) && l.data[l.at] == '<' {
			l.at++
			return l.dictionary()
		}
		return l.hex()
	case '[':
		return l.list()
	case '/':
		return l.name()
	case '>', ')', ']', '{', '}':
		return pdfMark{}
	}
	start := l.at - 1
	for l.at < len(l.data) && !pdfSpace(l.data[l.at]) && !pdfDelimiter(l.data[l.at]) {
		l.at++
	}
	word := string(l.data[start:l.at])
	if c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9' {
		if n, err := strconv.ParseFloat(word, 64); err == nil {
			return n
		}
		return 0.0 // "--5", "1.2.3": written by broken programs
	}
	return operator(word)
}

const maxListDepth = 50

func (l *pdfLexer) list() any {
	if l.depth++; l.depth > maxListDepth {
		l.at = len(l.data)
		return pdfMark{}
	}
	defer func() { l.depth-- }()
	out := []any{}
	for {
		for l.at < len(l.data) && pdfSpace(l.data[l.at]) {
			l.at++
		}
		if l.at >= len(l.data) {
			return out
		}
		if l.data[l.at] == ']' {
			l.at++
			return out
		}
		t, ok := l.next()
		if !ok {
			return out
		}
		if _, isOp := t.(operator); !isOp {
			out = append(out, t)
		}
	}
}

// dictionary passes over a dictionary.
func (l *pdfLexer) dictionary() any {
	if l.depth++; l.depth > maxListDepth {
		l.at = len(l.data)
		return pdfMark{}
	}
	defer func() { l.depth-- }()
	for {
		for l.at < len(l.data) && pdfSpace(l.data[l.at]) {
			l.at++
		}
		if l.at >= len(l.data) {
			return pdfMark{}
		}
		if bytes.HasPrefix(l.data[l.at:], []byte(">>")) {
			l.at += 2
			return pdfMark{}
		}
		if _, ok := l.next(); !ok {
			return pdfMark{}
		}
	}
}

func (l *pdfLexer) name() pdfName {
	var out []byte
	for l.at < len(l.data) && !pdfSpace(l.data[l.at]) && !pdfDelimiter(l.data[l.at]) {
		c := l.data[l.at]
		l.at++
		if c == '#' && l.at+2 <= len(l.data) {
			if n, err := strconv.ParseUint(string(l.data[l.at:l.at+2]), 16, 8); err == nil {
				c = byte(n)
				l.at += 2
			}
		}
		out = append(out, c)
	}
	return pdfName(out)
}

func (l *pdfLexer) hex() pdfString {
	out := pdfString{}
	high, half := byte(0), false
	for l.at < len(l.data) {
		c := l.data[l.at]
		l.at++
		var n byte
		switch {
		case c == '>':
			if half {
				out = append(out, high<<4)
			}
			return out
		case c >= '0' && c <= '9':
			n = c - '0'
		case c >= 'a' && c <= 'f':
			n = c - 'a' + 10
		case c >= 'A' && c <= 'F':
			n = c - 'A' + 10
		default:
			continue
		}
		if half {
			out = append(out, high<<4|n)
		}
		high, half = n, !half
	}
	return out
}

// literal reads a string in parentheses (7.3.4.2).
func (l *pdfLexer) literal() pdfString {
	out := pdfString{}
	for open := 1; l.at < len(l.data); {
		c := l.data[l.at]
		l.at++
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return out
			}
		case '\\':
			if b, ok := l.escape(); ok {
				out = append(out, b)
			}
			continue
		}
		out = append(out, c)
	}
	return out
}

func (l *pdfLexer) escape() (byte, bool) {
	if l.at >= len(l.data) {
		return 0, false
	}
	c := l.data[l.at]
	l.at++
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case '\r':
		if l.at < len(l.data) && l.data[l.at] == '\n' {
			l.at++
		}
		return 0, false
	case '\n':
		return 0, false
	}
	if c < '0' || c > '7' {
		return c, true
	}
	n := int(c - '0')
	for i := 0; i < 2 && l.at < len(l.data) && l.data[l.at] >= '0' && l.data[l.at] <= '7'; i++ {
		n = n*8 + int(l.data[l.at]-'0')
		l.at++
	}
	return byte(n), true //nolint:gosec // an overflow is ignored (7.3.4.2)
}

// skipInlineImage passes over the dictionary and the data of an image that is
// written into the content (8.9.7).
func (l *pdfLexer) skipInlineImage() {
	for i := l.at; i+1 < len(l.data); i++ {
		if l.data[i] == 'E' && l.data[i+1] == 'I' && i > 0 && pdfSpace(l.data[i-1]) && (i+2 >= len(l.data) || pdfSpace(l.data[i+2])) {
			l.at = i + 2
			return
		}
	}
	l.at = len(l.data)
}
