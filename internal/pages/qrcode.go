package pages

import (
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
	"rsc.io/qr"
)

// qrCode is a QR code as an image of the page itself: black on white in every
// colour scheme, with the quiet zone of four modules that readers need
// (ISO/IEC 18004, 5.3.8). It is nothing when the text is too long for one.
func qrCode(text, label string) node {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	const quiet = 4
	n := strconv.Itoa
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > start {
				path.WriteString("M" + n(start+quiet) + " " + n(y+quiet) + "h" + n(x-start) + "v1h-" + n(x-start) + "z")
			}
		}
	}
	side := n(code.Size + 2*quiet)
	return h.SVG(h.Class("qr"), g.Attr("viewBox", "0 0 "+side+" "+side), h.Role("img"), h.Aria("label", label),
		g.Attr("shape-rendering", "crispEdges"),
		g.El("path", g.Attr("fill", "#fff"), g.Attr("d", "M0 0h"+side+"v"+side+"H0z")),
		g.El("path", g.Attr("fill", "#000"), g.Attr("d", path.String())))
}
