package sharing

import (
	"crypto/rand"
	"strings"
	"unicode"
)

// passwordLetters leave out what people confuse. There are 64, some twice, so
// that every byte stands for one.
const passwordLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789abcdefgh"

// GeneratePassword is a random password of at least minLength characters, with
// small and capital letters, digits and a sign, as every password policy of
// Nextcloud wants it. It has more than 100 bits of chance.
func GeneratePassword(minLength int) string {
	const group = 5
	for {
		var b strings.Builder
		for b.Len() < max(minLength, 4*(group+1)-1) {
			if b.Len() > 0 {
				b.WriteByte('-')
			}
			random := make([]byte, group)
			_, _ = rand.Read(random) // never fails
			for _, r := range random {
				b.WriteByte(passwordLetters[int(r)%len(passwordLetters)])
			}
		}
		s := b.String()
		if strings.ContainsFunc(s, unicode.IsUpper) && strings.ContainsFunc(s, unicode.IsLower) && strings.ContainsFunc(s, unicode.IsDigit) {
			return s
		}
	}
}
