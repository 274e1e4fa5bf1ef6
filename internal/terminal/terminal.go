// Package terminal is what a command can do for the person in front of it
// beyond lines of text: a QR code for their phone, and a page in their browser.
// It is apart from the commands because both depend on the machine, and each
// is left out where it would not work.
package terminal

import (
	"io"
	"os"
	"strings"
)

// Getenv is the value of an environment variable, empty when it is not set.
type Getenv func(name string) string

// Is reports whether w is a terminal or another character device.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Draws reports whether a terminal in this environment shows block characters
// in colour: its locale is UTF-8 (POSIX, "Internationalization Variables"), it
// is not a dumb one, and nobody asked for no colour.
func Draws(env Getenv) bool {
	if env("TERM") == "dumb" || env("NO_COLOR") != "" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(env(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
