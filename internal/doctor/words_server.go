package doctor

import (
	"fmt"
	"net/url"
	"strings"
)

const publicSetting = "NEXTCLOUD_MCP_SERVER_URL"

func alive(mode, release string) finding {
	detail := "nextcloud-mcp-server answers"
	if release != "" {
		detail += ", version " + release
	}
	return good(detail + ", mode " + printable(mode, 20))
}

func aliveAtMCP() finding { return good("an MCP server answers") }

func healthNotPassedOn(base *url.URL) finding {
	return warn("/mcp is answered, but not /health/live", "let the proxy pass on everything below "+base.String()+"/, health checks as well")
}

func readyNow() finding { return good("everything it needs is there") }

func waiting() finding {
	return bad("the server runs, but waits for something (HTTP 503)", "run nextcloud-mcp-server doctor beside it, without an address: it says for what")
}

func notReady(name, status, detail string) finding {
	if detail == "" {
		detail = "no details"
	}
	if status == "waiting" {
		return bad("the server waits for "+name+": "+detail, "do what it says; the server goes on by itself")
	}
	return warn("the server reports a problem with "+name+": "+detail, "do what it says; the server goes on by itself")
}

// Answers of something else.

func hostRefused(base *url.URL) finding {
	return bad("the server does not know the host name that the proxy passes on",
		"pass on the Host header (nginx: proxy_set_header Host $host; Apache: ProxyPreserveHost On), or set "+publicSetting+"="+base.String())
}

func redirected(a *answer) finding {
	return bad(fmt.Sprintf("the request is redirected to %s (HTTP %d)", shown(a.location()), a.status), "use the final address in "+publicSetting+" and in clients, or exempt this server from the redirect (sign-in pages of the proxy included)")
}

func nextcloudAnswered(a *answer) finding {
	return bad(fmt.Sprintf("Nextcloud answers %s itself (HTTP %d)", shown(a.url), a.status), "let the proxy send this address to the MCP server, before the rules of Nextcloud; or give the address of the MCP server, if this one is Nextcloud's")
}

func gateway(a *answer) finding {
	return bad(fmt.Sprintf("the proxy%s does not reach the MCP server (HTTP %d)", a.server(), a.status), "start the server, and compare the proxy's target with MCP_HOST and PORT (in a container MCP_HOST=0.0.0.0)")
}

func notPassedOn(a *answer) finding {
	return bad(fmt.Sprintf("nothing is at %s (HTTP 404)%s", shown(a.url), a.server()), "let the proxy pass on this path to the MCP server, see docs/reverse-proxies.md")
}

func wellKnownNotPassedOn(a *answer) finding {
	return bad(fmt.Sprintf("nothing is at %s%s: clients look there, before the path of the server", shown(a.url), a.server()), "let the proxy pass on this path to the MCP server too, see \"Below a path of another site\" in docs/reverse-proxies.md")
}

func proxyPassword(a *answer) finding {
	return bad("something in front of the server"+a.server()+" asks for a password", "take Basic authentication off this server in the proxy: clients sign in by themselves")
}

func webPage(a *answer) finding {
	return bad(fmt.Sprintf("a web page%s answers %s (HTTP %d)", a.server(), shown(a.url), a.status), "let the proxy send this address to the MCP server; take sign-in pages and bot protection (Cloudflare, Authelia) off it")
}

func unexpected(a *answer) finding {
	return bad(fmt.Sprintf("%s is answered with HTTP %d%s, not by the MCP server as it should be", shown(a.url), a.status, a.server()), "let the proxy pass on this path unchanged")
}

// The challenge.

func openOnLoopback() finding {
	return good("no sign-in: it serves one person on this machine")
}

func openToAll(base *url.URL) finding {
	return bad("everybody who reaches "+base.Host+" acts as the one person it serves, without signing in", "use OAuth (unset NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD), or listen on 127.0.0.1 only")
}

func asksForBasic() finding {
	return good("clients are asked for a Nextcloud login name and an app password")
}

func challengeStripped() finding {
	return bad("the 401 answer of /mcp has lost its WWW-Authenticate header: clients cannot find out where to sign in", "let the proxy pass on WWW-Authenticate (nginx: no proxy_hide_header; Cloudflare: no transform rule on responses)")
}

func challengeForeign(a *answer) finding {
	return bad("the 401 answer of /mcp names no resource_metadata; something else"+a.server()+" answers", "let the proxy pass on /mcp without authentication of its own")
}

func challengeRelative(metadata string) finding {
	return bad("the resource_metadata of the 401 answer is not absolute: "+printable(metadata, 80), "update the server; let the proxy not rewrite headers")
}

func challengeElsewhere(metadata, want string, base *url.URL) finding {
	return bad("the 401 answer sends clients to "+shown(metadata)+" instead of "+want, "set "+publicSetting+"="+base.String())
}

func challenged(metadata string) finding {
	return good("401, with the metadata at " + shown(metadata))
}

func bearerArrives() finding { return good("the Authorization header arrives") }

func bearerStripped() finding {
	return bad("the Authorization header does not arrive: a wrong token is refused as if there was none", "pass it on (Apache: CGIPassAuth On; nginx: proxy_set_header Authorization $http_authorization; no authentication by the proxy)")
}

func bodyPasses() finding { return good("requests of 4 MiB pass") }

func bodyRefused(a *answer) finding {
	return warn("the proxy"+a.server()+" refuses requests of 4 MiB (HTTP 413): attachments and long notes fail", "raise its limit (nginx: client_max_body_size 5m; Apache: LimitRequestBody 5242880)")
}

func bodyUnknown() finding {
	return skipped("the connection was closed in the middle of a large request", "see whether the proxy limits requests to less than 5 MiB")
}

func streamUntried() finding {
	return skipped("event streams are open to clients that signed in only", "give an access token of this server with --token-file")
}

func streamOpens() finding { return good("event streams open at once") }

func streamBuffered() finding {
	return bad("an event stream does not open: the proxy waits for its end", "switch buffering off (nginx: proxy_buffering off; Apache: flushpackets=on; Caddy: flush_interval -1)")
}

func tokenAccepted() finding { return good("the server takes the token") }

func tokenRefused() finding {
	return bad("the server refuses the token: it ended, or is for another server", "sign in again in the client")
}

// Metadata.

func sameAddress(resource string) finding {
	return good("the server knows itself as " + shown(resource))
}

func shortMetadataMissing(a *answer) finding {
	return warn("nothing is at "+shown(a.url)+", where some clients look first", "let the proxy pass on /.well-known/oauth-protected-resource with everything below")
}

func differs(what string, base *url.URL) finding {
	return bad(what+": clients compare the two and refuse", "set "+publicSetting+"="+base.String()+" where the server runs, or give people the address that it states")
}

func slashDiffers(stated string) finding {
	return warn("the address was given with a slash at its end, which the server's has not: some clients refuse", "give people "+shown(stated))
}

func schemeDiffers(said, base *url.URL) finding {
	return differs("the server calls itself "+said.Scheme+"://, but is reached over "+base.Scheme+"://", base)
}

func hostDiffers(said, base *url.URL) finding {
	return differs("the server calls itself "+printable(said.Host, 120)+", but is reached as "+base.Host, base)
}

func pathDiffers(said, base *url.URL) finding {
	return differs("the server states the path "+printable(said.EscapedPath(), 120)+", but is reached at "+base.EscapedPath()+"/mcp", base)
}

func addressDiffers(said, base *url.URL) finding {
	return differs("the server calls itself "+shown(said.String())+", but is reached at "+base.String()+"/mcp", base)
}

func statesNonsense(base *url.URL) finding {
	return bad("the resource of the metadata is no URL", "set "+publicSetting+"="+base.String())
}

func noIssuer() finding {
	return bad("the metadata name no authorization server", "update the server, or let the proxy pass on its answers unchanged")
}

func issuerIsNoURL() finding {
	return bad("the authorization server of the metadata is no URL", "set "+publicSetting+" (or OIDC_ISSUER) to an https address")
}

func issuerSilent(issuer string, a *answer) finding {
	return bad(fmt.Sprintf("the authorization server %s has no metadata (HTTP %d)", shown(issuer), a.status), "enable Nextcloud's oidc app (occ app:enable oidc) and pass on /.well-known/openid-configuration to it")
}

func issuerDiffers(stated, asked string) finding {
	return bad("the authorization server calls itself "+shown(stated)+", but clients are sent to "+shown(asked)+slashOnly(stated, asked)+": they compare the two and refuse",
		"set NEXTCLOUD_PUBLIC_ISSUER_URL="+shown(stated)+", or correct overwrite.cli.url and overwriteprotocol in Nextcloud's config.php")
}

func slashOnly(a, b string) string {
	if strings.TrimRight(a, "/") == strings.TrimRight(b, "/") {
		return " (only the slash at the end differs)"
	}
	return ""
}

func issuerStated(issuer string) finding { return good("clients sign in at " + shown(issuer)) }

func openIDMissing(a *answer) finding {
	return warn("nothing is at "+shown(a.url)+", where ChatGPT looks", "let the proxy pass on /.well-known/openid-configuration of this host to the MCP server")
}

func pkceAdvertised() finding { return good("PKCE with S256 is advertised") }

func pkceMissing() finding {
	return bad("PKCE is not advertised: Claude Code and other clients refuse to sign in", "update the oidc app to 1.10 or newer (occ app:update oidc), or use MCP_AUTHORIZATION_SERVER=self")
}

func pkceWithoutS256() finding {
	return bad("PKCE is advertised without S256: clients refuse to sign in", "switch S256 on at the OpenID provider, or use MCP_AUTHORIZATION_SERVER=self")
}

func registrationOn() finding { return good("clients can register themselves") }

func documentsOnly() finding {
	return warn("clients cannot register themselves: only those with a metadata document or in ALLOWED_MCP_CLIENTS can connect", "set MCP_CLIENT_REGISTRATION=true, unless that is meant")
}

func registrationOff() finding {
	return bad("clients cannot register themselves", "set MCP_CLIENT_REGISTRATION=true")
}

func providerRegistrationOff() finding {
	return bad("clients cannot register themselves at the OpenID provider", "occ config:app:set oidc dynamic_client_registration --value=true, or use MCP_AUTHORIZATION_SERVER=self")
}

func endpointMissing(name, address string, a *answer) finding {
	if a.err != nil {
		return bad("the "+name+" endpoint "+shown(address)+" does not answer", "let the proxy pass on its path")
	}
	return bad(fmt.Sprintf("the %s endpoint %s is not there (HTTP %d)%s", name, shown(address), a.status, a.server()), "let the proxy pass on its path")
}

func authorizeThere() finding { return good("the page to sign in is there") }
