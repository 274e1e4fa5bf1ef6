package nextcloudtest

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// destination is where a MOVE or COPY leads.
type destination struct {
	path   string // below the account's files
	folder spot
	name   string
	old    spot
	exists bool
}

// readDestination finds the path of the Destination header below a part of the DAV tree, such as files/alice.
func (s *Server) readDestination(r *http.Request, root string) (string, *davFailure) {
	header := r.Header.Get("Destination")
	if header == "" {
		// Nextcloud: a plug-in takes the header for granted.
		return "", &davFailure{
			status: http.StatusInternalServerError, exception: "TypeError",
			message: "A type error occurred. For more details, please refer to the logs, which provide additional context about the type error.",
		}
	}
	u, err := url.Parse(header)
	outside := &davFailure{
		status: http.StatusForbidden, exception: `Sabre\DAV\Exception\Forbidden`,
		message: fmt.Sprintf("Requested uri (%s) is out of base uri (%s)", header, davRoot),
	}
	if err != nil {
		return "", outside
	}
	segments, ok := davPath(u.EscapedPath())
	if !ok || len(segments) < 2 || !strings.HasPrefix(u.EscapedPath(), davRoot) {
		return "", outside
	}
	if path.Join(segments[0], segments[1]) != root {
		return "", davConflict("The destination node is not found")
	}
	return path.Join("/", strings.Join(segments[2:], "/")), nil
}

func (f *filesRequest) destination() (destination, *davFailure) {
	name, failure := f.server.readDestination(f.Request, "files/"+f.home.owner.id)
	if failure != nil {
		return destination{}, failure
	}
	d := destination{path: name}
	dir, base := path.Split(name)
	found := false
	if d.folder, found = f.home.find(dir); !found || !d.folder.node.isFolder() || base == "" {
		return d, davConflict("The destination node is not found")
	}
	d.name = base
	d.old, d.exists = f.home.find(name)
	return d, nil
}

// transfer answers MOVE and COPY.
func (f *filesRequest) transfer(p spot, exists bool) {
	d, failure := f.destination()
	switch {
	case failure != nil:
	case d.path == f.path:
		failure = davForbidden("Source and destination uri are identical.")
	case strings.HasPrefix(d.path, strings.TrimSuffix(f.path, "/")+"/"):
		failure = davConflict("The destination may not be part of the same subtree as the source path.")
	case d.exists && f.Header.Get("Overwrite") == "F":
		failure = davPrecondition("Overwrite", "The destination node already exists, and the overwrite header is set to false", "")
	case !exists:
		failure = davNoFile(f.path)
	}
	if failure == nil {
		failure = f.checkIf()
	}
	if failure == nil {
		failure = checkConditions(f.Request, `"`+p.node.etag+`"`)
	}
	if failure == nil {
		failure = f.mayTransfer(p, d)
	}
	if failure != nil {
		f.fail(failure)
		return
	}
	if d.exists {
		f.store.discard(d.old.node, f.home.owner.id)
	}
	n := p.node
	if f.Method == "COPY" {
		made, err := f.store.clone(p.node, d.folder.node, d.name)
		if err != nil {
			f.fail(davUnaccepted(err))
			return
		}
		n = made
	} else {
		moved := p.place
		f.store.detach(moved)
		moved.name = d.name
		f.store.attach(moved, d.folder.node)
		moved.adopt(d.folder.node.home)
		f.w.Header().Set("Oc-Etag", `"`+n.etag+`"`)
		f.w.Header().Set("Etag", `"`+n.etag+`"`)
	}
	f.w.Header().Set("Oc-Fileid", n.longID())
	f.done(d.exists)
}

// adopt makes everything below belong to an account.
func (n *fileNode) adopt(home *fileHome) {
	if n.home == home || n.mount != nil {
		return
	}
	n.home.files--
	n.home.bytes -= n.content.kept()
	n.home = home
	home.files++
	home.bytes += n.content.kept()
	for _, c := range n.children {
		c.adopt(home)
	}
}

func (f *filesRequest) mayTransfer(p spot, d destination) *davFailure {
	user := f.home.owner.id
	moves := f.Method == "MOVE"
	switch {
	case moves && p.path == "/":
		return davForbidden("")
	case moves && p.place.mount == nil && p.rights&(mayUpdate|mayDelete) != mayUpdate|mayDelete:
		return davForbidden("")
	case moves && p.node.locked(user):
		return davLocked(p.path)
	case moves && p.place.mount != nil && d.folder.mount != nil:
		return davForbidden("You are not allowed to move one share into another one")
	case d.exists && d.old.rights&mayDelete == 0:
		return davForbidden("")
	case d.exists && d.old.node.locked(user):
		return davLocked(d.old.path)
	case d.exists && p.node.below(d.old.node):
		return davConflict("The destination holds the source")
	}
	bytes := p.node.size
	if moves && p.node.home == d.folder.node.home {
		bytes = 0
	}
	return f.writable(spot{}, false, d.folder, d.name, bytes)
}

var ifHeader = regexp.MustCompile(`(?:<([^>]*)>\s*)?\(((?:[^()])*)\)`)

// checkIf evaluates the If header (RFC 4918, section 10.4): lists of ETags, of the request's resource or of a tagged one.
// Lock tokens are those of nobody.
func (f *filesRequest) checkIf() *davFailure {
	lists := ifHeader.FindAllStringSubmatch(f.Header.Get("If"), -1)
	if len(lists) == 0 {
		return nil
	}
	resource := f.path
	for _, list := range lists {
		if list[1] != "" {
			u, err := url.Parse(list[1])
			if err != nil {
				continue
			}
			segments, ok := davPath(u.EscapedPath())
			if !ok || len(segments) < 2 {
				continue
			}
			resource = path.Join("/", strings.Join(segments[2:], "/"))
		}
		etag := ""
		if p, ok := f.home.find(resource); ok {
			etag = `"` + p.node.etag + `"`
		}
		if ifListHolds(list[2], etag) {
			return nil
		}
	}
	return davPrecondition("If", "None of the tokens in the If header matched", "")
}

var ifCondition = regexp.MustCompile(`(Not\s+)?(?:<[^>]*>|\[([^\]]*)\])`)

func ifListHolds(list, etag string) bool {
	for _, c := range ifCondition.FindAllStringSubmatch(list, -1) {
		if (c[2] != "" && c[2] == etag) == (c[1] != "") {
			return false
		}
	}
	return true
}
