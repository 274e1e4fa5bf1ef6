//go:build race

package document

// raceEnabled says that the race detector, which reserves more memory than a
// child may have, watches the test.
const raceEnabled = true
