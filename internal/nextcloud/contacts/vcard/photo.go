package vcard

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Photo is the picture of a card.
type Photo struct {
	Data []byte
	Type string // media type, such as image/jpeg
	URI  string // where the picture is, when the card does not hold it
}

// Photo is the first picture of the card; nil when there is none, or when it
// cannot be read.
func (c *Card) Photo() *Photo {
	l := c.Prop("PHOTO")
	if l == nil {
		return nil
	}
	value := strings.TrimSpace(l.plain())
	if len(value) >= 5 && strings.EqualFold(value[:5], "data:") {
		// RFC 2397; a comma in it may be escaped.
		head, data, ok := strings.Cut(strings.ReplaceAll(value[5:], `\`, ""), ",")
		media, is64 := strings.CutSuffix(head, ";base64")
		if !ok || !is64 {
			return nil
		}
		return photo(data, media)
	}
	binary := strings.EqualFold(l.Param("ENCODING"), "b") || strings.EqualFold(l.Param("ENCODING"), "base64")
	for _, p := range l.param {
		binary = binary || (p.Name == "" && len(p.Values) == 1 && strings.EqualFold(p.Values[0], "base64"))
	}
	if !binary {
		if uri := UnescapeText(value); strings.Contains(uri, "://") {
			return &Photo{URI: uri}
		}
		// Some programs forget to say how they wrote the picture.
	}
	media := ""
	for _, t := range l.words() {
		if t != "pref" {
			media = t
		}
	}
	return photo(value, media)
}

func photo(data, media string) *Photo {
	data = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, data)
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
	}
	if err != nil || len(b) == 0 {
		return nil
	}
	return &Photo{Data: b, Type: pictureType(b, media)}
}

// pictureType is the media type of a picture: what it is, else what is said.
func pictureType(data []byte, said string) string {
	if sniffed := http.DetectContentType(data); strings.HasPrefix(sniffed, "image/") {
		return sniffed
	}
	said = strings.ToLower(said)
	switch {
	case strings.HasPrefix(said, "image/"):
		return said
	case said == "jpg", said == "jpeg":
		return "image/jpeg"
	case said == "":
		return "application/octet-stream"
	}
	return "image/" + said
}

// SetPhoto puts a picture of a media type such as image/png in the place of
// the card's; without data it removes all pictures.
func (c *Card) SetPhoto(data []byte, media string) {
	if len(data) == 0 {
		c.Remove("PHOTO")
		return
	}
	coded := base64.StdEncoding.EncodeToString(data)
	made := NewLine("PHOTO", coded, Param{Name: "ENCODING", Values: []string{"b"}},
		Param{Name: "TYPE", Values: []string{strings.ToUpper(strings.TrimPrefix(media, "image/"))}})
	if c.V4() {
		made = NewLine("PHOTO", "data:"+media+";base64,"+coded)
	}
	for i, l := range c.lines {
		if l.Is("PHOTO") {
			c.lines[i] = made
			// A crop of the old picture (X-ABCROP-RECTANGLE) went with its line.
			return
		}
	}
	c.Add(made)
}
