package safehttp

// IsPublic is the gate that all connections pass.
var IsPublic = isPublic
