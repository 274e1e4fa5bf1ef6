package version

import (
	"regexp"
	"testing"
)

func TestString(t *testing.T) {
	if got := String(); !regexp.MustCompile(`^dev(-[0-9a-f]{12})?$`).MatchString(got) {
		t.Errorf("unreleased version %q", got)
	}
	release = "1.2.3"
	defer func() { release = "" }()
	if got := String(); got != "1.2.3" {
		t.Errorf("released version %q", got)
	}
}
