package terminal

import (
	"strings"

	"rsc.io/qr"
)

// quietZone is how many light modules readers need around a QR code (ISO/IEC
// 18004, 5.3.8).
const quietZone = 4

// QRCode is text as a QR code, two rows of modules in a line, black on white
// whatever the colours of the terminal are. It is empty when the text is too
// long for one.
func QRCode(text string) string {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	// By upper and lower half: a dark one is drawn.
	halves := map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}
	var b strings.Builder
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		b.WriteString("\x1b[30;47m")
		for x := -quietZone; x < code.Size+quietZone; x++ {
			b.WriteString(halves[[2]bool{code.Black(x, y), code.Black(x, y+1)}])
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
