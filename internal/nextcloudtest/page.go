package nextcloudtest

import (
	"fmt"
	"html"
	"io"
	"net/http"
)

// markup is format with its arguments escaped for HTML, as text and within quoted attributes.
//
// No template engine: it calls methods by name, so that the linker has to keep every method of the whole program.
func markup(format string, args ...string) string {
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = html.EscapeString(a)
	}
	return fmt.Sprintf(format, escaped...)
}

const (
	// head is before every page's title and body: plain, readable without scripts, and honest about what it is.
	head = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #00679e; color: #222 }
header { color: #fff; text-align: center; padding-top: 6vh; font-weight: 600 }
main { background: #fff; max-width: 26rem; margin: 3vh auto; padding: 1.5rem 2rem; border-radius: 12px }
h1 { font-size: 1.3rem; margin-top: 0 }
label { display: block; margin: .6rem 0 }
input[type=text], input[type=password] { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 2px solid #888; border-radius: 8px }
button { font: inherit; margin: .8rem .5rem 0 0; padding: .5rem 1.2rem; border: 2px solid #00679e; border-radius: 8px; background: #00679e; color: #fff; cursor: pointer }
button.secondary { background: #fff; color: #00679e }
.error { color: #b00020; font-weight: 600 }
</style>
`
	body = `<title>%[1]s – Simulated Nextcloud</title>
</head>
<body>
<header>Simulated Nextcloud</header>
<main>
<h1>%[1]s</h1>
`
	foot = `
</main>
</body>
</html>
`
)

// writePage sends a page with one paragraph.
func writePage(w http.ResponseWriter, status int, title, text string) {
	renderPage(w, status, title, markup("<p>%s</p>", text))
}

// renderPage sends a page with content made by markup.
func renderPage(w http.ResponseWriter, status int, title, content string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	w.WriteHeader(status)
	// The only way this fails is a client that has gone away.
	_, _ = io.WriteString(w, head+markup(body, title)+content+foot)
}
