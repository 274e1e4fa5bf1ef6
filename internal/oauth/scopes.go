package oauth

import (
	"slices"

	"nextcloud-mcp-server/internal/scope"
)

// both is what two sets of scopes have in common; a write scope on one side
// and the read scope of its area on the other have the read scope in common.
func both(a, b scope.Set) scope.Set {
	held := slices.DeleteFunc(a.Scopes(), func(s scope.Scope) bool { return !b.Has(s) })
	given := slices.DeleteFunc(b.Scopes(), func(s scope.Scope) bool { return !a.Has(s) })
	return scope.NewSet(slices.Concat(held, given)...)
}

// areas are the scopes that unlock data. The scopes of OpenID Connect are
// accepted for the sake of clients that always ask for them; they change
// nothing here.
func areas(s scope.Set) scope.Set {
	return scope.NewSet(slices.DeleteFunc(s.Scopes(), scope.Scope.Identity)...)
}
