package doctor

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// What results say is here and in the files words_*.go, one function for each
// thing that can be found, so that all of it can be read together.

func good(detail string) finding { return finding{status: OK, detail: detail} }

func warn(detail, fix string) finding { return finding{status: Warning, detail: detail, fix: fix} }

func bad(detail, fix string) finding { return finding{status: Problem, detail: detail, fix: fix} }

func skipped(detail, fix string) finding { return finding{status: Skipped, detail: detail, fix: fix} }

// unless makes a problem a warning unless it is grave.
func (f finding) unless(grave bool) finding {
	if f.status == Problem && !grave {
		f.status = Warning
	}
	return f
}

func notChecked(title string) finding {
	return skipped("needs \""+title+"\" to be right first", "")
}

// Names.

func nameIsAddress(name string) finding { return good(name + " is an address, not a name") }

func nameKnown(name string, addresses []string) finding {
	more := ""
	if len(addresses) > 3 {
		addresses, more = addresses[:3], ", ..."
	}
	return good(name + " is " + strings.Join(addresses, ", ") + more)
}

func nameUnknown(name, setting string) finding {
	return bad(name+" has no address here", "correct "+setting+", or add an A or AAAA record for "+name+" to its DNS zone")
}

// Connections and certificates.

func throughProxy(u *url.URL) finding {
	return skipped(origin(u)+" is reached through the proxy of HTTPS_PROXY or HTTP_PROXY, which hides its certificate", "set NO_PROXY="+u.Hostname()+" to look at it")
}

func plainLoopback(u *url.URL) finding {
	return good(u.Host + " answers; it is this machine, and needs no TLS")
}

func plainHTTP(u *url.URL, setting string) finding {
	return warn(u.Host+" answers without TLS: whoever is on the way reads passwords and tokens, and clients may refuse", "put a TLS proxy in front and set "+setting+"=https://"+u.Hostname())
}

func secure(version string, end time.Time) finding {
	return good(version + ", certificate good until " + end.UTC().Format(time.DateOnly))
}

func endsSoon(u *url.URL, end time.Time, left time.Duration) finding {
	return warn(fmt.Sprintf("the certificate of %s ends on %s, in %d days", u.Hostname(), end.UTC().Format(time.DateOnly), int(left.Hours()/24)),
		"renew it now, and look why it was not renewed by itself (certbot renew, the log of Caddy or Traefik)")
}

func expired(u *url.URL, cert *x509.Certificate) finding {
	return bad("the certificate of "+u.Hostname()+" ended on "+cert.NotAfter.UTC().Format(time.DateOnly), "renew it (certbot renew), or set this machine's clock")
}

func notYetValid(u *url.URL, cert *x509.Certificate) finding {
	return bad("the certificate of "+u.Hostname()+" is not valid before "+cert.NotBefore.UTC().Format(time.DateOnly), "set this machine's clock by NTP (timedatectl set-ntp true)")
}

func invalidCertificate(u *url.URL) finding {
	return bad("the certificate of "+u.Hostname()+" may not be used for a server", "get a server certificate")
}

func unknownAuthority(u *url.URL, cert *x509.Certificate) finding {
	if cert != nil && cert.Issuer.String() == cert.Subject.String() {
		return bad("the certificate of "+u.Hostname()+" is self-signed", "get one of a public authority (Let's Encrypt), or give its file in NEXTCLOUD_CA_BUNDLE; clients need it as well")
	}
	return bad("the certificate of "+u.Hostname()+" comes from an unknown authority, or its intermediate certificate is not sent along",
		"serve the whole chain (fullchain.pem instead of cert.pem); for a private authority give its file in NEXTCLOUD_CA_BUNDLE")
}

func otherName(u *url.URL, cert *x509.Certificate, setting string) finding {
	names := ""
	if cert != nil && len(cert.DNSNames) > 0 {
		names = ", but for " + printable(strings.Join(cert.DNSNames[:min(3, len(cert.DNSNames))], ", "), 120)
	}
	return bad("the certificate is not for "+u.Hostname()+names, "use one of its names in "+setting+", or get a certificate for "+u.Hostname())
}

func unverified(u *url.URL) finding {
	return warn("the certificate of "+u.Hostname()+" is not verified (NEXTCLOUD_VERIFY_SSL=false)", "set NEXTCLOUD_VERIFY_SSL=true, and NEXTCLOUD_CA_BUNDLE for a private authority")
}

func noTLS(u *url.URL, setting string) finding {
	return bad(u.Host+" does not speak TLS", "set "+setting+"=http://"+u.Host+", or give the port that speaks TLS")
}

func refusedTLS(u *url.URL) finding {
	return bad(u.Host+" refuses TLS 1.2 and 1.3, or does not know the name", "allow TLS 1.2 and 1.3 there, with a certificate for "+u.Hostname())
}

func noAnswer(u *url.URL) finding {
	return bad(u.Host+" did not answer in time", "open its port in the firewall, and look whether it runs")
}

func unreachable(u *url.URL, setting string) finding {
	return bad("nobody listens at "+hostPort(u), "start it, or correct host and port in "+setting)
}

func closedHTTP() finding { return good("nothing answers over http") }

func redirectedHTTP() finding { return good("http is redirected to https") }

func redirectedElsewhere(a *answer) finding {
	return warn("http is redirected to "+shown(a.location())+", not to the same host over https", "redirect http to the same host over https")
}

func openHTTP(base *url.URL) finding {
	return warn("the server answers over http, too: tokens that are sent there can be read on the way", "redirect http://"+base.Host+" to https in the proxy")
}

func otherHTTP(a *answer) finding {
	return good(fmt.Sprintf("http is answered by something else (HTTP %d)", a.status))
}

// Clocks.

func noDate(whose string) finding {
	return skipped(whose+" does not say what time it is", "let the proxy pass on the Date header")
}

func rightClock(whose string) finding { return good("the clock of " + whose + " agrees with ours") }

func wrongClock(whose string, skew time.Duration) finding {
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	return bad(fmt.Sprintf("the clock of %s is %s %s ours, so that tokens are too old or not yet valid", whose, skew.Abs().Round(time.Second), way),
		"set both clocks by NTP (timedatectl set-ntp true)")
}
