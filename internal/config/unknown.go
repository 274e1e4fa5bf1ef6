package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ownPrefixes begin the variables that are meant for this program, so that one
// it does not know is probably misspelt.
var ownPrefixes = []string{"NEXTCLOUD_", "MCP_", "OIDC_", "TOKEN_"}

// platform matches variables that container platforms set by themselves for
// services called nextcloud or mcp (Kubernetes: "Environment variables" of
// Services).
var platform = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP)(_[A-Z]+)?)$`)

func foreign(name, value string) bool {
	return platform.MatchString(name) || strings.HasPrefix(value, "tcp://") || strings.HasPrefix(value, "udp://")
}

// silent are known variables that this program reads elsewhere or that mean
// something to its companions.
var silent = []string{
	"NEXTCLOUD_TEST_URL", "NEXTCLOUD_TEST_USER", "NEXTCLOUD_TEST_PASSWORD",
	"NEXTCLOUD_MCP_SERVICE_NAME", "MCP_ROLE", "NEXTCLOUD_RESOURCE_URI",
}

// withoutEffect are variables of the Python server of the same name that
// people may bring along and wonder about, with what to know instead.
var withoutEffect = map[string]string{ //nolint:gosec // names of variables, no credentials
	"NEXTCLOUD_APP_PASSWORD":        "use NEXTCLOUD_PASSWORD",
	"NEXTCLOUD_MCP_SETTINGS_FILE":   "use --env-file",
	"MCP_DNS_REBINDING_PROTECTION":  "the protection is always on; see MCP_ALLOWED_HOSTS",
	"MCP_DISABLE_CAPABILITY_GATING": "",
	"MCP_PORT":                      "use PORT",
	"NEXTCLOUD_MCP_PORT":            "use PORT",
	"MCP_SERVER_CLIENT_ID":          "use NEXTCLOUD_OIDC_CLIENT_ID",
	"MCP_SERVER_CLIENT_SECRET":      "use NEXTCLOUD_OIDC_CLIENT_SECRET",
	"OIDC_DISCOVERY_MAX_ATTEMPTS":   "discovery goes on until it succeeds",
	"TOKEN_EXCHANGE_CACHE_TTL":      "",
	"ENABLE_TOKEN_EXCHANGE":         "",
	"ENABLE_MULTI_USER_BASIC_AUTH":  "see MCP_DEPLOYMENT_MODE",
	"ENABLE_LOGIN_FLOW":             "see MCP_DEPLOYMENT_MODE",
	"ENABLE_OFFLINE_ACCESS":         "",
	"ENABLE_BACKGROUND_OPERATIONS":  "",
	"ENABLE_SEMANTIC_SEARCH":        "there is no semantic search",
	"VECTOR_SYNC_ENABLED":           "there is no semantic search",
	"ENABLE_DCR":                    "see MCP_CLIENT_REGISTRATION",
	"ALLOWED_MGMT_CLIENT":           "there is no management API",
	"WEBHOOK_SECRET":                "there is no webhook receiver",
	"CORS_ALLOW_ORIGINS":            "use MCP_ALLOWED_ORIGINS",
	"WEBDAV_WRITE_MAX_MB":           "",
}

// WithoutEffect are the variables of the Python server that have no effect
// here, and what to know instead (may be empty).
func WithoutEffect() map[string]string { return maps.Clone(withoutEffect) }

// unknown warns about variables that nothing reads, with the nearest name.
// Their values are never shown: a misspelt NEXTCLOUD_PASSWORD is a password.
func unknown(sources []source) []Warning {
	known := knownNames()
	var warnings []Warning
	seen := map[string]bool{}
	for _, source := range sources {
		for _, name := range slices.Sorted(maps.Keys(source.vars)) {
			value := source.vars[name]
			if value == "" || seen[name] || known[name] || foreign(name, value) {
				continue
			}
			seen[name] = true
			if instead, ok := withoutEffect[name]; ok {
				text := "it has no effect here"
				if instead != "" {
					text += ": " + instead
				}
				warnings = append(warnings, Warning{name, text})
				continue
			}
			if !slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
				continue
			}
			text := "there is no such setting"
			if near := nearest(name); near != "" {
				text += "; did you mean " + near + "?"
			}
			warnings = append(warnings, Warning{name, text})
		}
	}
	return warnings
}

func knownNames() map[string]bool {
	known := map[string]bool{}
	for i := range settings {
		for _, name := range settings[i].names() {
			known[name] = true
		}
		if file := settings[i].FileEnv(); file != "" {
			known[file] = true
		}
	}
	for _, name := range silent {
		known[name] = true
	}
	return known
}

// nearest is the setting with the fewest edits from name; empty when even that
// is a different word.
func nearest(name string) string {
	if len(name) > 64 {
		return ""
	}
	best, least := "", min(len(name)/3, 4)+1
	for i := range settings {
		for _, candidate := range []string{settings[i].Env, settings[i].FileEnv()} {
			d := distance(name, candidate)
			if strings.HasPrefix(candidate, name) {
				d = 1 // NEXTCLOUD_USER is meant for NEXTCLOUD_USERNAME, not _HOST
			}
			if d < least {
				best, least = candidate, d
			}
		}
	}
	return best
}

// distance is the number of insertions, deletions and replacements of bytes
// between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
