package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"
)

const (
	// softLimit keeps the process small under many clients at once: most of
	// what a call allocates is garbage when it ends.
	softLimit = 40 << 20 // bytes
	// roomFactor is what the limit leaves of room above what is in use, so that
	// a process that has to remember much is not made to collect all the time.
	roomFactor = 3
)

// tune trades memory for time: the live heap of this server is a few
// megabytes, so that collecting at five times of it costs little memory and
// saves most collections. Above softLimit collections come earlier, and the
// limit grows with what is in use. GOGC and GOMEMLIMIT keep their meaning.
func tune(ctx context.Context, environ []string) {
	if isSet(environ, "GOGC") || isSet(environ, "GOMEMLIMIT") {
		return
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(softLimit)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for first := true; ; first = false {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if first {
				debug.FreeOSMemory() // what starting needed and running does not
			}
			debug.SetMemoryLimit(max(softLimit, roomFactor*inUse()))
		}
	}()
}

// inUse is the bytes of heap that the last collection found in use.
func inUse() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(min(sample[0].Value.Uint64(), 1<<50))
}

func isSet(environ []string, name string) bool {
	return slices.ContainsFunc(environ, func(pair string) bool {
		value, ok := strings.CutPrefix(pair, name+"=")
		return ok && value != ""
	})
}
