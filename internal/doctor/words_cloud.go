package doctor

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oidcclient"
)

const cloudSetting = "NEXTCLOUD_HOST"

func nextcloudThere(version string) finding { return good("Nextcloud " + version) }

func noNextcloud(base *url.URL) finding {
	return bad(base.String()+"/status.php is not that of a Nextcloud", "correct "+cloudSetting+": it is the address of Nextcloud, with its path if it has one")
}

func notInstalled() finding {
	return bad("Nextcloud is not set up", "finish its installation (occ maintenance:install)")
}

func inMaintenance() finding {
	return bad("Nextcloud is in maintenance mode", "occ maintenance:mode --off")
}

func needsUpgrade() finding {
	return bad("Nextcloud was updated, but its database was not", "occ upgrade")
}

func tooOld(version string) finding {
	return bad("Nextcloud "+version+" is older than 28", "update Nextcloud to 28 or newer")
}

func noBearerOnApps(version string) finding {
	return warn("Nextcloud "+version+" takes no OAuth token on the APIs of Notes, Deck and others", "update Nextcloud to 30 or newer, or use MCP_AUTHORIZATION_SERVER=self")
}

func untrustedDomain(base *url.URL) finding {
	return bad("Nextcloud does not accept the host name "+base.Hostname(), "occ config:system:set trusted_domains 9 --value="+base.Host)
}

func throttled() finding {
	return bad("Nextcloud refuses this address after too many wrong passwords (HTTP 429)", "correct the wrong password that is sent again and again, then occ security:bruteforce:reset <address of this server>")
}

func slowed(milliseconds int) finding {
	return warn(fmt.Sprintf("Nextcloud holds back each sign-in from this address by %d ms, because of wrong passwords", milliseconds), "correct the wrong password that is sent again and again, then occ security:bruteforce:reset <address of this server>")
}

func notSlowed() finding { return good("Nextcloud does not hold this address back") }

func cloudRedirects(a *answer, base *url.URL) finding {
	to, err := url.Parse(a.location())
	if err != nil || to.Host == "" {
		return cloudUnexpected(a)
	}
	if strings.HasSuffix(to.Path, "/login") || to.Hostname() != base.Hostname() && strings.Contains(to.Path, "auth") {
		return bad("a sign-in page stands before Nextcloud's APIs: "+shown(a.url)+" is redirected to "+shown(to.String()), "exempt /status.php, /ocs, /remote.php and /index.php from the sign-in of the proxy")
	}
	return bad("Nextcloud redirects to "+shown(to.String()), "set "+cloudSetting+" to the final address, "+origin(to))
}

func cloudDown(a *answer) finding {
	return bad(fmt.Sprintf("the web server%s does not reach Nextcloud (HTTP %d)", a.server(), a.status), "look into the log of the web server and of PHP")
}

func cloudUnexpected(a *answer) finding {
	return bad(fmt.Sprintf("%s is answered with HTTP %d%s", shown(a.url), a.status, a.server()), "correct "+cloudSetting+", or look what stands before Nextcloud (proxy, firewall)")
}

func ocsAnswers() finding { return good("OCS answers, and the OCS-APIRequest header arrives") }

func ocsHeaderStripped() finding {
	return bad("the OCS-APIRequest header does not arrive at Nextcloud (HTTP 412), so that it refuses every call", "let what stands before Nextcloud pass on the header OCS-APIRequest")
}

func ocsUnexpected(a *answer) finding {
	return bad("OCS does not answer in JSON"+a.server(), "pass on /ocs/ to Nextcloud unchanged; correct "+cloudSetting+" if Nextcloud is below a path")
}

func flowStarts() finding { return good("Login Flow v2 starts") }

func flowForbidden(device string) finding {
	return bad("Nextcloud lets only some programs use Login Flow v2, and not "+printable(device, 120), "add '/nextcloud-mcp-server/' to core.login_flow_v2.allowed_user_agents in config.php")
}

func flowFails(base *url.URL) finding {
	return bad("Login Flow v2 does not start at "+base.String()+"/index.php/login/v2", "let what stands before Nextcloud pass on /index.php/login/v2; correct overwrite.cli.url and overwritewebroot in config.php")
}

func flowElsewhere(stated, public *url.URL) finding {
	return bad("Nextcloud calls itself "+printable(stated.Host, 120)+" in sign-in links, but the settings say "+public.Host,
		"set NEXTCLOUD_PUBLIC_URL="+shown(stated.Scheme+"://"+stated.Host)+", or correct overwrite.cli.url (occ config:system:set overwrite.cli.url --value="+public.String()+") and overwritehost")
}

// The OpenID provider.

func providerFound(issuer string) finding { return good("the provider is " + shown(issuer)) }

func noProvider() finding {
	return bad("the OpenID provider cannot be found", "correct OIDC_DISCOVERY_URL or "+cloudSetting)
}

func noProviderNeeded() finding {
	return good("there is none, so people sign in with Login Flow v2")
}

func discoveryBelowIndex(address string) finding {
	return bad("the web server does not pass on /.well-known/openid-configuration to Nextcloud, but the provider is there", "set OIDC_DISCOVERY_URL="+address+", or redirect /.well-known to /index.php/.well-known")
}

func discoveryFails(address, seen, fix string, grave bool) finding {
	return bad("no OpenID provider at "+address+": "+seen, fix).unless(grave)
}

func issuerConfigured() finding { return good("the issuer is the one of OIDC_ISSUER") }

func providerIssuerSame() finding { return good("the issuer belongs to the address") }

func providerIssuerDiffers(stated, asked string) finding {
	return warn("the provider calls itself "+shown(stated)+", but is asked at "+shown(asked)+slashOnly(stated, asked), "set OIDC_DISCOVERY_URL below the issuer, or OIDC_ISSUER="+shown(stated))
}

func cloudIssuerDiffers(stated string, public *url.URL) finding {
	return warn("Nextcloud is issuer as "+shown(stated)+", but people reach it at "+public.String(),
		"occ config:system:set overwrite.cli.url --value="+public.String()+" and overwriteprotocol, or set NEXTCLOUD_PUBLIC_ISSUER_URL")
}

func providerPKCEMissing(state oidcclient.PKCEState) finding {
	return warn("PKCE is "+state.String()+" by the provider; the server uses it all the same", "update the oidc app to 1.10 or newer (occ app:update oidc)")
}

func clientConfigured() finding { return good("the server has a configured client") }

func ownRegistrationOn(self bool) finding {
	if self {
		return good("the server registers its client by itself and renews it")
	}
	return good("clients register there; Nextcloud deletes theirs after client_expire_time (an hour, unless occ config:app:set oidc client_expire_time says more)")
}

func ownRegistrationOff(grave bool, server *url.URL) finding {
	redirect := "<address of this server>"
	if server != nil {
		redirect = server.String()
	}
	return bad("the provider lets no client register itself, and none is configured",
		"occ config:app:set oidc dynamic_client_registration --value=true, or make a client with the redirect URI "+redirect+"/oauth/callback and set NEXTCLOUD_OIDC_CLIENT_ID and NEXTCLOUD_OIDC_CLIENT_SECRET").unless(grave)
}

func introspectionThere() finding { return good("opaque tokens can be checked") }

func introspectionNotNeeded() finding {
	return good("not offered, and not needed: the server issues its own tokens")
}

func introspectionMissing() finding {
	return warn("the provider offers no introspection, so that opaque tokens cannot be checked well", "update the oidc app to 1.10 or newer, or set NEXTCLOUD_OIDC_TOKEN_TYPE=jwt")
}

func signingPublic() finding { return good("ID tokens can be checked with published keys") }

func signingSymmetric(names []string) finding {
	return bad("the provider signs ID tokens with "+printable(strings.Join(names, ", "), 60)+" only, which nobody else can check", "choose RS256 for the client at the provider (Nextcloud: occ oidc:create --algorithm RS256; Authentik: choose a signing key)")
}

// Credentials.

func noCredentials() finding {
	return skipped("no credentials to try", "give an access token with --token-file, or NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD in single-user mode")
}

func accessWorks(family string) finding { return good(family + " takes the credentials") }

func otherUserID() finding {
	return good("OCS takes the credentials; the user id differs from the login name, which the server minds")
}

func appMissing(app string) finding {
	return warn("the app "+app+" is not there, so its tools fail", "occ app:install "+app+", or leave its area out of MCP_AREAS")
}

func accessFails(family string, err error, bearer bool) finding {
	switch {
	case errors.Is(err, nextcloud.ErrMaintenance):
		return inMaintenance()
	case errors.Is(err, nextcloud.ErrRateLimited):
		return throttled()
	case errors.Is(err, nextcloud.ErrUnauthenticated) && bearer:
		return bad(family+" refuses the token", "occ app:enable user_oidc, and occ config:system:set user_oidc oidc_provider_bearer_validation --value=true --type=boolean")
	case errors.Is(err, nextcloud.ErrForbidden) && bearer:
		return bad(family+" takes no OAuth token (Nextcloud 28 and 29, or a proxy that drops OCS-APIRequest)", "update Nextcloud to 30 or newer, or use MCP_AUTHORIZATION_SERVER=self")
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return bad(family+" refuses NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD", "make an app password in Nextcloud (Settings, Security) and set it as NEXTCLOUD_PASSWORD")
	}
	var e *nextcloud.Error
	if errors.As(err, &e) && e.Status != 0 {
		return bad(fmt.Sprintf("%s answers with HTTP %d", family, e.Status), "look into Nextcloud's log (occ log:tail)")
	}
	return bad(family+" does not answer", "look into Nextcloud's log (occ log:tail)")
}

func appsFound(names string) finding {
	if names == "" {
		names = "none"
	}
	return good("apps that announce themselves: " + names)
}
