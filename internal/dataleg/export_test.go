package dataleg

import (
	"context"
	"time"
)

// Clean is one round of Run.
func (l *Leg) Clean(ctx context.Context) { l.clean(ctx) }

// SetNow gives a Single another clock.
func (s *Single) SetNow(now func() time.Time) { s.now = now }
