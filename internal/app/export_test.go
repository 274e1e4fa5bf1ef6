package app

import "time"

// Tests do not wait as long as people do.
func init() { stopTimeout = 2 * time.Second }
