package nextcloudtest

import (
	"html/template"
	"net/http"
)

// frame is around every page: plain, readable without scripts, and honest about what it is. A page defines "content".
const frame = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} – Simulated Nextcloud</title>
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
</head>
<body>
<header>Simulated Nextcloud</header>
<main>
<h1>{{.Title}}</h1>
{{block "content" .Data}}<p>{{.}}</p>{{end}}
</main>
</body>
</html>
`

// plainPage has one paragraph of text.
var plainPage = template.Must(template.New("page").Parse(frame))

// newPage makes a page out of its content.
func newPage(content string) *template.Template {
	base := template.Must(template.New("page").Parse(frame))
	return template.Must(base.New("content").Parse(content))
}

// writePage sends a page with one paragraph.
func writePage(w http.ResponseWriter, status int, title, text string) {
	renderPage(w, status, title, plainPage, text)
}

// renderPage sends a page made by newPage.
func renderPage(w http.ResponseWriter, status int, title string, content *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	w.WriteHeader(status)
	// The only way this fails is a client that has gone away.
	_ = content.ExecuteTemplate(w, "page", struct {
		Title string
		Data  any
	}{title, data})
}
