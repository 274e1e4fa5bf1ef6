package picture

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how a camera was held (Exif 2.32, 4.6.4 A: 0x0112), from 1,
// upright, to 8.
func orientation(data []byte, format string) int {
	switch format {
	case "jpeg":
		return exifOrientation(jpegExif(data))
	case "webp":
		return exifOrientation(webpExif(data))
	case "png":
		return exifOrientation(pngExif(data))
	case "tiff":
		return exifOrientation(data)
	}
	return 1
}

// jpegExif is the Exif block of a JPEG file (Exif 2.32, 4.7.2).
func jpegExif(data []byte) []byte {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		kind, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		end := at + 2 + size
		if kind == 0xda || size < 2 || end > len(data) { // the picture itself begins
			return nil
		}
		if body := data[at+4 : end]; kind == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		at = end
	}
	return nil
}

// webpExif is the Exif chunk of a WebP file (RFC 9649, 2.7.1.5).
func webpExif(data []byte) []byte {
	for at := 12; at+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		if size < 0 || at+8+size > len(data) {
			return nil
		}
		if string(data[at:at+4]) == "EXIF" {
			return bytes.TrimPrefix(data[at+8:at+8+size], []byte("Exif\x00\x00"))
		}
		at += 8 + size + size%2
	}
	return nil
}

// pngExif is the eXIf chunk of a PNG file (PNG 3, 11.3.2.9).
func pngExif(data []byte) []byte {
	for at := 8; at+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		if size < 0 || at+12+size > len(data) {
			return nil
		}
		switch string(data[at+4 : at+8]) {
		case "eXIf":
			return data[at+8 : at+8+size]
		case "IDAT":
			return nil
		}
		at += 12 + size
	}
	return nil
}

// exifOrientation reads the tag from the first directory of a TIFF header
// (TIFF 6.0, section 2).
func exifOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	count := int64(order.Uint16(tiff[at:]))
	for i := range count {
		e := at + 2 + 12*i
		if e+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[e:]) == 0x0112 {
			if n := int(order.Uint16(tiff[e+8:])); n >= 1 && n <= 8 {
				return n
			}
			return 1
		}
	}
	return 1
}

// upright turns and mirrors a picture as its orientation says.
func upright(img image.Image, turn int) image.Image {
	if turn <= 1 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if turn >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch turn {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			out.Set(tx, ty, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}
