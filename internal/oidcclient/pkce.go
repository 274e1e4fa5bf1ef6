package oidcclient

import (
	"fmt"
	"slices"
)

// PKCEState is what a provider's metadata say about PKCE with S256 (RFC 7636),
// by code_challenge_methods_supported of RFC 8414, 2.
type PKCEState int

// The states. Only with PKCES256 may a client rely on it.
const (
	PKCEMissing     PKCEState = iota // nothing is said: some MCP clients refuse such a provider
	PKCEWithoutS256                  // methods are listed, S256 is not among them
	PKCES256                         // S256 is advertised
)

// String is the state in words.
func (s PKCEState) String() string {
	switch s {
	case PKCEMissing:
		return "not advertised"
	case PKCEWithoutS256:
		return "advertised without S256"
	case PKCES256:
		return "S256"
	}
	return fmt.Sprintf("PKCEState(%d)", int(s))
}

// PKCE is the state that a list of methods comes to; nil means the field is
// missing.
func PKCE(methods []string) PKCEState {
	switch {
	case methods == nil:
		return PKCEMissing
	case slices.Contains(methods, "S256"):
		return PKCES256
	}
	return PKCEWithoutS256
}
