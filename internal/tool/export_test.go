package tool

// ObjectOf is what a call touches, for the fuzzer.
func ObjectOf(t *Tool, args []byte) string { return t.object(args) }
