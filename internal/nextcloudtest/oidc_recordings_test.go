package nextcloudtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The clients of the recordings.
const (
	recordedJWTClient     = "m57vkWtn768PjvKRu1wKyi7hvXNnm4ke4XOcUm8MpxbjgD5aN1IQfWHyiYddsUUZ"
	recordedOpaqueClient  = "QsNNu5avUr6UImaERwkgoMSzJ1o8CaxJud8qEayb3Pcy2RKjM8p4qu3JevtC6upl"
	recordedOpaqueSecret  = "YNcd0CpYCziSipue0lKxdiBb2HENTdjaoltqvwgnHog7uSFbDo4T3Nuwlz21Q306"
	recordedConsentClient = "FwvVGETxDnAFyepZHQ4Qj3N6lR0AvTmWjdtJNasUpNlghQtt3ULILxGQtaB5BL5b"

	recordedJWTManagement    = "jtxRQh8k20imLHM277ipSsbmqG1iIAPozXo2VTfsBDx4YXT7jmR1OG2smVD4kY9I"
	recordedOpaqueManagement = "dEZWeU8tV45KQaKmTZlWEGJrmiSfUvbfKkcozwECQ2mDxQtMxNldtaAOGgO49Bkq"
	recordedPublicManagement = "ohukEldzBBDeaT9kpjJdaWHXGg5eEAMjzOYtLROjlwnvLGsDeOaXZW5MIkppmggE"

	recordedOpaqueToken = "1AJuQgFYbHRtKYqkjUaaDIqwV4G8Kuw2vLbQXRjC9YFjL32Ago0pMOGF0Bk7VCnVzjhosBGN"

	recordedCallback = "http://127.0.0.1:9999/callback"
	recordedScope    = "openid profile email groups roles offline_access notes.read"
)

// The areas of the oidc app were recorded one after the other, each with what the one before had made.
func TestRecordingsOIDC(t *testing.T) {
	s := startRecorded(t, nil)
	_, cookie := signedIn(t, s, "alice")
	learned := map[string]string{}
	run := func(area string, before func(r *shapeReplay, x *exchange)) {
		t.Run(area, func(t *testing.T) {
			replayArea(t, s, replayPlan{area: area, replace: learned, before: before})
		})
	}

	run("oidc-discovery", nil)
	run("oidc-dcr", func(_ *shapeReplay, x *exchange) {
		management := map[string]string{
			"08": recordedOpaqueManagement, "09": "wrong", "11": recordedJWTManagement,
			"12": recordedPublicManagement, "13": recordedPublicManagement, "14": recordedPublicManagement, "15": recordedPublicManagement,
		}
		if token, ok := management[x.name[:2]]; ok {
			x.header.Set("Authorization", "Bearer "+token)
		}
	})
	run("oidc-authorize", func(_ *shapeReplay, x *exchange) {
		if !strings.Contains(x.name, "not-logged-in") {
			x.header.Set("Cookie", cookie)
		}
	})

	run("oidc-token", func(r *shapeReplay, x *exchange) {
		form, err := url.ParseQuery(x.body)
		if err != nil {
			t.Fatal(err)
		}
		client := form.Get("client_id")
		if strings.HasPrefix(x.name, "07-") {
			client = recordedOpaqueClient
			x.header.Set("Authorization", basic(learned[client], learned[recordedOpaqueSecret]))
		}
		code := form.Get("code")
		if _, known := learned[code]; known || len(code) < minLearned {
			return
		}
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		query := url.Values{
			"client_id": {learned[client]}, "redirect_uri": {recordedCallback}, "response_type": {"code"}, "nonce": {"n"}, "scope": {recordedScope},
			"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		}
		switch x.name[:2] {
		case "05":
			query.Set("code_challenge", strings.Repeat("x", 43))
		case "13":
			query.Set("resource", "http://127.0.0.1:7777/other")
		case "14":
			query.Set("scope", "openid")
		}
		learned[code] = authorizeAs(t, s, cookie, query)
	})
	run("introspection", func(_ *shapeReplay, x *exchange) {
		if strings.HasPrefix(x.name, "07-") {
			x.header.Set("Authorization", basic(learned[recordedOpaqueClient], learned[recordedOpaqueSecret]))
		}
	})
	// Of the JWTs those are used that nothing has ended since: the one for another resource and the one without scopes.
	jwt := tokenWith(t, learned, "aud", "http://127.0.0.1:7777/other")
	openidOnly := tokenWith(t, learned, "scope", "openid")
	run("userinfo", func(_ *shapeReplay, x *exchange) {
		tokens := map[string]string{"01": learned[recordedOpaqueToken], "02": jwt, "03": learned[recordedOpaqueToken], "04": openidOnly}
		if token, ok := tokens[x.name[:2]]; ok {
			x.header.Set("Authorization", "Bearer "+token)
		}
	})
}

// tokenWith returns the access token that stands for the recorded one with a claim.
func tokenWith(t *testing.T, learned map[string]string, name, value string) string {
	t.Helper()
	for recorded, here := range learned {
		if claims, err := claimsOf(recorded); err == nil && claims["client_id"] != nil && claims[name] == value {
			return here
		}
	}
	t.Fatalf("no token with %s %s was issued", name, value)
	return ""
}

// authorizeAs runs an authorization request for a session and returns the code.
func authorizeAs(t *testing.T, s *Server, cookie string, query url.Values) string {
	t.Helper()
	location := ask(t, s, http.MethodGet, "/apps/oidc/authorize?"+query.Encode(), "", "Cookie", cookie).Header().Get("Location")
	u, err := url.Parse(location)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code in %q", location)
	}
	return u.Query().Get("code")
}

func TestRecordingsConsent(t *testing.T) {
	s := startRecorded(t, &Options{Consent: true})
	one, cookie := signedIn(t, s, "alice")
	client := s.AddClient(ClientConfig{Name: "recorded", RedirectURIs: []string{recordedCallback}})
	const recordedRequest = "q2NyaigRi42sCLyPKafu3B5zBAvGfJYy6jTmbv/mmME=:xy5LGRlQ2bvHcffkHsyisUYmcXywNvtTo2WBKoun84s="
	replayArea(t, s, replayPlan{
		area:    "oidc-consent",
		replace: map[string]string{recordedConsentClient: client.ID, recordedRequest: one.csrf},
		before:  func(_ *shapeReplay, x *exchange) { x.header.Set("Cookie", cookie) },
	})
}
