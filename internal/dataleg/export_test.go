package dataleg

import "context"

// Clean is one round of Run.
func (l *Leg) Clean(ctx context.Context) { l.clean(ctx) }
