package nextcloudtest

import (
	"crypto/rand"
	"crypto/subtle"
)

const (
	alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

	clientSecretLength = 64
	accessTokenLength  = 72
	appPasswordLength  = 72
	longTokenLength    = 128 // authorization codes, refresh tokens, tokens of the login flow
)

// randomText returns n random letters and digits.
func randomText(n int) string {
	b := make([]byte, n)
	// crypto/rand.Read never fails since Go 1.24.
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphanumeric[int(b[i])%len(alphanumeric)]
	}
	return string(b)
}

// same compares secrets in constant time; nothing equals an empty secret.
func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
