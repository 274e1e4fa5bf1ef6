package dataleg

import (
	"context"
	"time"
)

// Clean is one round of Run.
func (l *Leg) Clean(ctx context.Context) { l.clean(ctx) }

// SetNow gives a Single another clock.
func (s *Single) SetNow(now func() time.Time) { s.now = now }

// Keep is one round of Run.
func (k *Keeper) Keep(ctx context.Context) { k.keep(ctx) }

// SetNow gives a Keeper another clock.
func (k *Keeper) SetNow(now func() time.Time) { k.now = now }
