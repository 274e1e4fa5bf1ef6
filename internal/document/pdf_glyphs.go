package document

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

// standardEncoding is where Adobe's StandardEncoding differs from Windows-1252
// (ISO 32000-1, D.2). Codes that it leaves empty are left out.
var standardEncoding = map[int]string{
	0x27: "’", 0x60: "‘", 0xa4: "⁄", 0xa6: "ƒ", 0xa8: "¤", 0xa9: "'", 0xaa: "“", 0xac: "‹", 0xad: "›", 0xae: "ﬁ", 0xaf: "ﬂ",
	0xb1: "–", 0xb2: "†", 0xb3: "‡", 0xb4: "·", 0xb7: "•", 0xb8: "‚", 0xb9: "„", 0xba: "”", 0xbc: "…", 0xbd: "‰",
	0xc1: "`", 0xc2: "´", 0xc3: "ˆ", 0xc4: "˜", 0xc5: "¯", 0xc6: "˘", 0xc7: "˙", 0xc8: "¨", 0xca: "˚", 0xcb: "¸", 0xcd: "˝", 0xce: "˛", 0xcf: "ˇ",
	0xd0: "—", 0xe1: "Æ", 0xe3: "ª", 0xe8: "Ł", 0xe9: "Ø", 0xea: "Œ", 0xeb: "º", 0xf1: "æ", 0xf5: "ı", 0xf8: "ł", 0xf9: "ø", 0xfa: "œ", 0xfb: "ß",
}

// glyphNames are the names of signs that fonts without ToUnicode use (Adobe
// Glyph List For New Fonts, and the names of TeX's fonts), as "name letter".
const glyphNames = `space   exclam ! quotedbl " numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright ) asterisk * plus +
comma , hyphen - period . slash / zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 colon : semicolon ; less < equal = greater >
question ? at @ bracketleft [ backslash \ bracketright ] asciicircum ^ underscore _ grave ` + "`" + ` braceleft { bar | braceright } asciitilde ~
exclamdown ¡ cent ¢ sterling £ currency ¤ yen ¥ brokenbar ¦ section § dieresis ¨ copyright © ordfeminine ª guillemotleft « logicalnot ¬
registered ® macron ¯ degree ° plusminus ± twosuperior ² threesuperior ³ acute ´ mu µ paragraph ¶ periodcentered · cedilla ¸ onesuperior ¹
ordmasculine º guillemotright » onequarter ¼ onehalf ½ threequarters ¾ questiondown ¿ Agrave À Aacute Á Acircumflex Â Atilde Ã Adieresis Ä Aring Å
AE Æ Ccedilla Ç Egrave È Eacute É Ecircumflex Ê Edieresis Ë Igrave Ì Iacute Í Icircumflex Î Idieresis Ï Eth Ð Ntilde Ñ Ograve Ò Oacute Ó
Ocircumflex Ô Otilde Õ Odieresis Ö multiply × Oslash Ø Ugrave Ù Uacute Ú Ucircumflex Û Udieresis Ü Yacute Ý Thorn Þ germandbls ß agrave à aacute á
acircumflex â atilde ã adieresis ä aring å ae æ ccedilla ç egrave è eacute é ecircumflex ê edieresis ë igrave ì iacute í icircumflex î idieresis ï
eth ð ntilde ñ ograve ò oacute ó ocircumflex ô otilde õ odieresis ö divide ÷ oslash ø ugrave ù uacute ú ucircumflex û udieresis ü yacute ý thorn þ
ydieresis ÿ Abreve Ă abreve ă Aogonek Ą aogonek ą Cacute Ć cacute ć Ccaron Č ccaron č Dcaron Ď dcaron ď Dcroat Đ dcroat đ Ecaron Ě ecaron ě
Eogonek Ę eogonek ę Gbreve Ğ gbreve ğ Idotaccent İ dotlessi ı Lacute Ĺ lacute ĺ Lcaron Ľ lcaron ľ Lslash Ł lslash ł Nacute Ń nacute ń Ncaron Ň ncaron ň
OE Œ oe œ Ohungarumlaut Ő ohungarumlaut ő Racute Ŕ racute ŕ Rcaron Ř rcaron ř Sacute Ś sacute ś Scaron Š scaron š Scedilla Ş scedilla ş Tcaron Ť tcaron ť
Uhungarumlaut Ű uhungarumlaut ű Uring Ů uring ů Ydieresis Ÿ Zacute Ź zacute ź Zcaron Ž zcaron ž Zdotaccent Ż zdotaccent ż florin ƒ circumflex ˆ caron ˇ
breve ˘ dotaccent ˙ ring ˚ ogonek ˛ tilde ˜ hungarumlaut ˝ endash – emdash — quoteleft ‘ quoteright ’ quotesinglbase ‚ quotedblleft “ quotedblright ”
quotedblbase „ dagger † daggerdbl ‡ bullet • ellipsis … perthousand ‰ guilsinglleft ‹ guilsinglright › fraction ⁄ Euro € trademark ™ minus − ff ff fi fi
fl fl ffi ffi ffl ffl Alpha Α Beta Β Gamma Γ Delta Δ Epsilon Ε Zeta Ζ Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ
Sigma Σ Tau Τ Upsilon Υ Phi Φ Chi Χ Psi Ψ Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ nu ν xi ξ
omicron ο pi π rho ρ sigma σ sigma1 ς tau τ upsilon υ phi φ chi χ psi ψ omega ω partialdiff ∂ product ∏ summation ∑ radical √ infinity ∞ integral ∫
approxequal ≈ notequal ≠ lessequal ≤ greaterequal ≥ lozenge ◊ arrowleft ← arrowup ↑ arrowright → arrowdown ↓ arrowboth ↔ arrowdblright ⇒ arrowdblboth ⇔
element ∈ notelement ∉ union ∪ intersection ∩ emptyset ∅ universal ∀ existential ∃ logicaland ∧ logicalor ∨ proportional ∝ nbspace   sfthyphen -
visiblespace   asteriskmath ∗ similar ∼ checkmark ✓ a20 ✔ square □ filledbox ■ circle ○ H18533 ■ triangleright ▷ compwordmark  `

var glyphTable = sync.OnceValue(func() map[string]string {
	out := map[string]string{"space": " ", "nbspace": " ", "visiblespace": " "}
	var name string
	for word := range strings.FieldsSeq(glyphNames) {
		switch name {
		case "", "space", "nbspace", "visiblespace", "compwordmark":
			name = word
		default:
			out[name] = word
			name = ""
		}
	}
	return out
})

// glyphText is the text that the name of a sign stands for (Adobe Glyph List
// Specification, 2); empty when it says nothing.
func glyphText(name string) string {
	name, _, _ = strings.Cut(name, ".")
	if name == "" {
		return ""
	}
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(componentText(part))
	}
	return b.String()
}

func componentText(name string) string {
	if len(name) == 1 {
		c := name[0]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return name
		}
	}
	if text, ok := glyphTable()[name]; ok {
		return text
	}
	if rest, ok := strings.CutPrefix(name, "uni"); ok && len(rest)%4 == 0 && len(rest) >= 4 && len(rest) <= 32 {
		var units []uint16
		for i := 0; i < len(rest); i += 4 {
			n, err := strconv.ParseUint(rest[i:i+4], 16, 16)
			if err != nil {
				return ""
			}
			units = append(units, uint16(n))
		}
		return string(utf16.Decode(units))
	}
	if rest, ok := strings.CutPrefix(name, "u"); ok && len(rest) >= 4 && len(rest) <= 6 {
		if n, err := strconv.ParseUint(rest, 16, 21); err == nil {
			return string(rune(n))
		}
	}
	return ""
}
