// Package picture makes pictures small enough for a model: it turns them the
// right way up and scales them down. It knows neither Nextcloud nor MCP.
//
// Pictures come from strangers: how many points one has is looked at before
// anything is decoded, so that a small file cannot become a huge picture.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // decoders register themselves
	"image/jpeg"
	"image/png"

	_ "golang.org/x/image/bmp" // decoders register themselves
	scale "golang.org/x/image/draw"
	_ "golang.org/x/image/tiff" // decoders register themselves
	_ "golang.org/x/image/webp" // decoders register themselves
)

// The bounds of a picture that is decoded.
const (
	MaxPixels = 50_000_000 // 200 MB while it is decoded
	MaxSide   = 30_000     // points
)

// The defaults of a picture that goes to a model. Providers scale down what is
// larger themselves.
const (
	DefaultSide  = 1568    // points
	DefaultBytes = 1 << 20 // before base64
)

// The reasons why a picture is not shown.
var (
	ErrFormat   = errors.New("not a picture that can be shown")
	ErrTooLarge = errors.New("the picture is too large")
	ErrDamaged  = errors.New("the picture is damaged")
)

// Picture is an encoded picture.
type Picture struct {
	Type          string // image/jpeg, image/png, image/gif or image/webp
	Data          []byte
	Width, Height int // of Data, in points
	// OriginalWidth and OriginalHeight are those of the file, upright.
	OriginalWidth, OriginalHeight int
	Changed                       bool // it is not the file itself
}

// Options are the optional parts of Fit; nil means all defaults.
type Options struct {
	Side  int // most points of a side
	Bytes int // most bytes
}

// direct are the formats that models are shown as they are.
var direct = map[string]string{"jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}

// Fit is the picture in data, upright, within the bounds. A picture that fits
// already is left as it is.
func Fit(data []byte, opts *Options) (*Picture, error) {
	o := Options{}
	if opts != nil {
		o = *opts
	}
	if o.Side <= 0 {
		o.Side = DefaultSide
	}
	if o.Bytes <= 0 {
		o.Bytes = DefaultBytes
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, ErrFormat
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case config.Width <= 0 || config.Height <= 0:
		return nil, ErrDamaged
	case config.Width > MaxSide || config.Height > MaxSide || config.Width*config.Height > MaxPixels:
		return nil, fmt.Errorf("%w: %d by %d points, where %d million are the most", ErrTooLarge, config.Width, config.Height, MaxPixels/1_000_000)
	}
	turn := orientation(data, format)
	width, height := config.Width, config.Height
	if turn >= 5 {
		width, height = height, width
	}
	out := &Picture{OriginalWidth: width, OriginalHeight: height, Width: width, Height: height}
	if kind := direct[format]; kind != "" && turn == 1 && max(width, height) <= o.Side && len(data) <= o.Bytes {
		out.Type, out.Data = kind, data
		return out, nil
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if b := img.Bounds(); b.Dx() > config.Width || b.Dy() > config.Height {
		return nil, ErrDamaged
	}
	out.Changed = true
	for side := min(o.Side, max(width, height)); ; side = side * 3 / 4 {
		small := upright(shrink(img, side), turn)
		if err := out.encode(small, o.Bytes); err != nil {
			return nil, err
		}
		if len(out.Data) <= o.Bytes || side < 64 {
			return out, nil
		}
	}
}

// Ready is the picture in data when it fits already, upright and small, which
// is seen without decoding it; false otherwise.
func Ready(data []byte) (*Picture, bool) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	kind := direct[format]
	if err != nil || kind == "" || len(data) > DefaultBytes || config.Width <= 0 || config.Height <= 0 ||
		max(config.Width, config.Height) > DefaultSide || orientation(data, format) != 1 {
		return nil, false
	}
	return &Picture{Type: kind, Data: data, Width: config.Width, Height: config.Height, OriginalWidth: config.Width, OriginalHeight: config.Height}, true
}

// shrink scales a picture down to at most side points.
func shrink(img image.Image, side int) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	if long <= side {
		return img
	}
	w, h := max(1, b.Dx()*side/long), max(1, b.Dy()*side/long)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	scale.ApproxBiLinear.Scale(out, out.Bounds(), halve(img, side), scaledBounds(img, side), draw.Src, nil)
	return out
}

// halve leaves out points of a picture that is far larger than what becomes of
// it: scaling reads four points for each of the result, so that fine lines
// would flicker otherwise. It averages squares of points.
func halve(img image.Image, side int) image.Image {
	n := factor(img, side)
	if n == 1 {
		return img
	}
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, max(1, b.Dx()/n), max(1, b.Dy()/n)))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			out.SetNRGBA(x, y, average(img, b.Min.X+x*n, b.Min.Y+y*n, n, b))
		}
	}
	return out
}

func scaledBounds(img image.Image, side int) image.Rectangle {
	n := factor(img, side)
	b := img.Bounds()
	if n == 1 {
		return b
	}
	return image.Rect(0, 0, max(1, b.Dx()/n), max(1, b.Dy()/n))
}

// factor is how many points in a row become one before scaling.
func factor(img image.Image, side int) int {
	b := img.Bounds()
	return max(1, max(b.Dx(), b.Dy())/(2*side))
}

func average(img image.Image, x, y, n int, within image.Rectangle) color.NRGBA {
	var r, g, b, a, count uint64
	for j := y; j < y+n && j < within.Max.Y; j++ {
		for i := x; i < x+n && i < within.Max.X; i++ {
			cr, cg, cb, ca := img.At(i, j).RGBA()
			r, g, b, a, count = r+uint64(cr), g+uint64(cg), b+uint64(cb), a+uint64(ca), count+1
		}
	}
	if count == 0 {
		return color.NRGBA{}
	}
	mean := color.RGBA64{R: uint16(r / count), G: uint16(g / count), B: uint16(b / count), A: uint16(a / count)} //nolint:gosec // means of 16 bits
	c, _ := color.NRGBAModel.Convert(mean).(color.NRGBA)
	return c
}

// encode writes a picture as PNG where it has see-through parts or PNG is
// small, and as JPEG otherwise.
func (p *Picture) encode(img image.Image, most int) error {
	p.Width, p.Height = img.Bounds().Dx(), img.Bounds().Dy()
	var b bytes.Buffer
	if !opaque(img) || paletted(img) {
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
			return fmt.Errorf("encode PNG: %w", err)
		}
		if p.Type, p.Data = "image/png", b.Bytes(); b.Len() <= most || !opaque(img) {
			return nil
		}
	}
	for _, quality := range []int{85, 70, 50} {
		b = bytes.Buffer{}
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return fmt.Errorf("encode JPEG: %w", err)
		}
		if p.Type, p.Data = "image/jpeg", b.Bytes(); b.Len() <= most {
			return nil
		}
	}
	return nil
}

func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

func paletted(img image.Image) bool {
	_, ok := img.(*image.Paletted)
	return ok
}
