// Package version knows which release this is.
package version

import "runtime/debug"

// release is set by the linker: -X nextcloud-mcp-server/internal/version.release=1.2.3
var release string

// String is the release, or the revision that was built, or "dev".
func String() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
