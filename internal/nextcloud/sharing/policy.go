package sharing

import (
	"context"
	"fmt"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Policy is what an administrator lets people share, as capabilities tell it.
type Policy struct {
	Links        bool // links and shares by mail
	Upload       bool // links that let people upload
	Password     bool // links and mails need a password
	MinPassword  int  // characters; 0 when not told
	Expiry       Expiry
	Internal     Expiry // of users, groups and the like
	Federated    Expiry
	CustomTokens bool
	Federation   bool // with people of other servers
	Groups       bool
	Resharing    bool
	Major        int            // version of Nextcloud; 0 when not told
	Zone         *time.Location // of the person's dates
}

// Expiry is when shares end that say nothing of it.
type Expiry struct {
	Days     int  // after that many; 0: never
	Enforced bool // none may last longer
}

type wireExpiry struct {
	Enabled  lenient.Bool `json:"enabled"`
	Days     lenient.Int  `json:"days"`
	Enforced lenient.Bool `json:"enforced"`
}

func (w lenientExpiry) expiry() Expiry {
	if w.Value == nil || !bool(w.Value.Enabled) || w.Value.Days <= 0 {
		return Expiry{}
	}
	return Expiry{int(w.Value.Days), bool(w.Value.Enforced)}
}

type lenientExpiry struct{ lenient.Maybe[wireExpiry] }

type wireSwitch struct {
	Enabled  lenient.Bool `json:"enabled"`
	Enforced lenient.Bool `json:"enforced"`
}

type wirePublic struct {
	Enabled   lenient.Bool              `json:"enabled"`
	Password  lenient.Maybe[wireSwitch] `json:"password"`
	Link      lenientExpiry             `json:"expire_date"`
	Internal  lenientExpiry             `json:"expire_date_internal"`
	Federated lenientExpiry             `json:"expire_date_remote"`
	Upload    lenient.Bool              `json:"upload"`
	Tokens    lenient.Bool              `json:"custom_tokens"`
}

type wireSharing struct {
	Public     lenient.Maybe[wirePublic] `json:"public"`
	Groups     *lenient.Bool             `json:"group_sharing"`
	Resharing  lenient.Bool              `json:"resharing"`
	Federation lenient.Maybe[struct {
		Outgoing lenient.Bool `json:"outgoing"`
	}] `json:"federation"`
}

type wireCapabilities struct {
	Version struct {
		Major lenient.Int `json:"major"`
	} `json:"version"`
	Capabilities struct {
		Sharing lenient.Maybe[wireSharing] `json:"files_sharing"`
		Core    lenient.Maybe[struct {
			User lenient.Maybe[struct {
				Timezone lenient.Text `json:"timezone"`
			}] `json:"user"`
		}] `json:"core"`
		Passwords lenient.Maybe[struct {
			MinLength lenient.Int `json:"minLength"`
		}] `json:"password_policy"`
	} `json:"capabilities"`
}

const (
	policyKey = "sharing policy"
	// policyLife is how long capabilities are believed.
	policyLife = 5 * time.Minute
)

type keptPolicy struct {
	policy *Policy
	read   time.Time
}

// Policy asks for the administrator's settings of sharing, or remembers them
// for some minutes.
func (c *Client) Policy(ctx context.Context) (*Policy, error) {
	if kept, ok := c.nc.Cached(ctx, policyKey); ok {
		if k, ok := kept.(keptPolicy); ok && time.Since(k.read) < policyLife {
			return k.policy, nil
		}
	}
	const op = "ask what may be shared"
	var wire wireCapabilities
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: "/ocs/v2.php/cloud/capabilities"}, &wire); err != nil {
		return nil, err
	}
	sharing := wire.Capabilities.Sharing.Value
	if sharing == nil {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrAppMissing, Message: "this Nextcloud does not share files"}
	}
	p := &Policy{Major: int(wire.Version.Major), Resharing: bool(sharing.Resharing), Groups: sharing.Groups == nil || bool(*sharing.Groups), Zone: time.UTC}
	if public := sharing.Public.Value; public != nil {
		p.Links, p.Upload, p.CustomTokens = bool(public.Enabled), bool(public.Upload), bool(public.Tokens)
		p.Expiry, p.Internal, p.Federated = public.Link.expiry(), public.Internal.expiry(), public.Federated.expiry()
		p.Password = public.Password.Value != nil && bool(public.Password.Value.Enforced)
	}
	if f := sharing.Federation.Value; f != nil {
		p.Federation = bool(f.Outgoing)
	}
	if pw := wire.Capabilities.Passwords.Value; pw != nil {
		p.MinPassword = int(pw.MinLength)
	}
	if core := wire.Capabilities.Core.Value; core != nil && core.User.Value != nil {
		if zone, err := time.LoadLocation(string(core.User.Value.Timezone)); err == nil {
			p.Zone = zone
		}
	}
	c.nc.Store(ctx, policyKey, keptPolicy{p, time.Now()}, 200)
	return p, nil
}

// allowsLink says why a link or mail may not be made as asked; nil when it may.
func (p *Policy) allowsLink(op string, permissions Permissions, end End, hasPassword bool, now time.Time) error {
	switch {
	case !p.Links:
		return forbidden(op, "an administrator has switched off links and shares by mail")
	case permissions&(Create|Edit|Delete) != 0 && !p.Upload:
		return forbidden(op, "an administrator lets links only read: nobody may upload or change anything through one")
	case p.Password && !hasPassword:
		return invalid(op, "this Nextcloud demands a password for every link and mail: ask the person for one, or give password \"generate\"")
	}
	return p.Expiry.allows(op, end, p.Zone, now)
}

// allows says why a share may not end as asked; nil when it may.
func (x Expiry) allows(op string, end End, zone *time.Location, now time.Time) error {
	if !x.Enforced {
		return nil
	}
	last := now.In(zone).AddDate(0, 0, x.Days).Format(time.DateOnly)
	switch {
	case end.Never:
		return invalid(op, fmt.Sprintf("this Nextcloud demands an end date, at most %d days ahead (%s)", x.Days, last))
	case end.Date > last:
		return invalid(op, fmt.Sprintf("this Nextcloud lets such shares last %d days at most: the last possible date is %s", x.Days, last))
	}
	return nil
}
