package redirect

import "strings"

// Match reports whether the redirect URI of a request is the registered one:
// byte for byte (RFC 9700, 2.1), but for the port of an http URI on loopback,
// which a program on a person's own machine cannot know beforehand (RFC 8252,
// 7.3). 127.0.0.1, [::1] and localhost do not stand for each other. A
// URI that programs may read differently matches nothing, not even itself.
func Match(registered, presented string) bool {
	p, err := parse(presented)
	if err != nil {
		return false
	}
	if registered == presented {
		return true
	}
	r, err := parse(registered)
	return err == nil && r == p && p.scheme == "http" && isLoopback(p.host)
}

// Host names for people where the answer goes: a host such as "claude.ai" or
// "127.0.0.1", or a scheme such as "cursor:". Local says that it stays on the
// person's own device. The name is empty when uri is no redirect URI.
func Host(uri string) (name string, local bool) {
	p, err := parse(uri)
	switch {
	case err != nil:
		return "", false
	case p.scheme != "https" && p.scheme != "http":
		return p.scheme + ":", true
	}
	name = strings.ToLower(p.host)
	return name, isLoopback(name)
}
