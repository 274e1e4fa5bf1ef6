package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// corner is a picture that is red in the top left quarter and blue elsewhere.
func corner(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{B: 255, A: 255}
			if x < w/2 && y < h/2 {
				c = color.NRGBA{R: 255, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(tb testing.TB, img image.Image, turn int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		tb.Fatal(err)
	}
	if turn == 0 {
		return b.Bytes()
	}
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	exif = append(exif, byte(turn), 0, 0, 0, 0, 0, 0)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(out, b.Bytes()[2:]...)
}

func decode(t *testing.T, p *Picture) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
		t.Errorf("says %dx%d, is %v", p.Width, p.Height, b)
	}
	return img
}

// redCorner is the corner that is red.
func redCorner(img image.Image) string {
	b := img.Bounds()
	for name, at := range map[string]image.Point{
		"top left": {b.Dx() / 8, b.Dy() / 8}, "top right": {b.Dx() * 7 / 8, b.Dy() / 8},
		"bottom left": {b.Dx() / 8, b.Dy() * 7 / 8}, "bottom right": {b.Dx() * 7 / 8, b.Dy() * 7 / 8},
	} {
		if r, _, bl, _ := img.At(b.Min.X+at.X, b.Min.Y+at.Y).RGBA(); r > bl {
			return name
		}
	}
	return "none"
}

func TestOrientation(t *testing.T) {
	for turn, want := range map[int]string{
		0: "top left", 1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left",
		5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left",
	} {
		p, err := Fit(jpegOf(t, corner(80, 40), turn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := redCorner(decode(t, p)); got != want {
			t.Errorf("orientation %d: red is %s, want %s", turn, got, want)
		}
		if upright := p.Width == 80; upright != (turn < 5) || p.OriginalWidth != p.Width {
			t.Errorf("orientation %d: %dx%d", turn, p.Width, p.Height)
		}
		if p.Changed != (turn > 1) {
			t.Errorf("orientation %d: changed %v", turn, p.Changed)
		}
	}
}

func TestFit(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.IntN(256))
		if i%4 == 3 {
			noise.Pix[i] = 255
		}
	}
	encode := func(f func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	palette := image.NewPaletted(image.Rect(0, 0, 10, 10), color.Palette{color.White, color.Black})
	for _, c := range []struct {
		name    string
		data    []byte
		opts    *Options
		kind    string
		changed bool
	}{
		{"small PNG", encode(func(b *bytes.Buffer) error { return png.Encode(b, corner(50, 50)) }), nil, "image/png", false},
		{"GIF", encode(func(b *bytes.Buffer) error { return gif.Encode(b, palette, nil) }), nil, "image/gif", false},
		{"BMP", encode(func(b *bytes.Buffer) error { return bmp.Encode(b, corner(50, 50)) }), nil, "image/jpeg", true},
		{"TIFF", encode(func(b *bytes.Buffer) error { return tiff.Encode(b, corner(50, 50), nil) }), nil, "image/jpeg", true},
		{"large", jpegOf(t, corner(5000, 3000), 0), nil, "image/jpeg", true},
		{"heavy", encode(func(b *bytes.Buffer) error { return png.Encode(b, noise) }), &Options{Bytes: 40_000}, "image/jpeg", true},
		{"see-through", encode(func(b *bytes.Buffer) error { return png.Encode(b, image.NewNRGBA(image.Rect(0, 0, 3000, 10))) }), nil, "image/png", true},
		{"thin", encode(func(b *bytes.Buffer) error { return png.Encode(b, corner(20000, 1)) }), nil, "image/jpeg", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Fit(c.data, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			side, size := DefaultSide, DefaultBytes
			if c.opts != nil {
				size = c.opts.Bytes
			}
			if p.Type != c.kind || p.Changed != c.changed || max(p.Width, p.Height) > side || len(p.Data) > size {
				t.Errorf("%s, changed %v, %dx%d, %d bytes", p.Type, p.Changed, p.Width, p.Height, len(p.Data))
			}
			decode(t, p)
		})
	}
}

// pngClaim is the head of a PNG file that says to be so large.
func pngClaim(w, h uint32) []byte {
	chunk := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

func TestRefused(t *testing.T) {
	whole := jpegOf(t, corner(100, 100), 0)
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"bomb", pngClaim(60000, 60000), ErrTooLarge},
		{"many points", pngClaim(20000, 20000), ErrTooLarge},
		{"cut", pngClaim(2000, 20), ErrDamaged},
		{"cut JPEG that needs work", jpegOf(t, corner(100, 100), 6)[:400], ErrDamaged},
		{"text", []byte("hello"), ErrFormat},
		{"nothing", nil, ErrFormat},
		{"cut head", whole[:10], ErrDamaged},
	} {
		if p, err := Fit(c.data, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", c.name, p, err, c.want)
		}
	}
}

func FuzzFit(f *testing.F) {
	for turn := range 9 {
		f.Add(jpegOf(f, corner(16, 8), turn))
	}
	f.Add(pngClaim(5, 5))
	f.Add([]byte("RIFF\x20\x00\x00\x00WEBPVP8X"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && config.Width*config.Height > 1<<20 {
			return // slow, not wrong
		}
		p, err := Fit(data, &Options{Side: 64})
		if err == nil && (p.Width > 64 || p.Height > 64 || len(p.Data) == 0) {
			t.Errorf("%dx%d, %d bytes", p.Width, p.Height, len(p.Data))
		}
	})
}
