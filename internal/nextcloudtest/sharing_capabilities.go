package nextcloudtest

// sharingCapabilities are what capabilities say of the administrator's settings of sharing.
func (s *Server) sharingCapabilities() map[string]any {
	rules := s.opts.Sharing
	on := func(enabled bool) map[string]any { return map[string]any{"enabled": enabled} }
	expiry := func(days int, enforced bool) map[string]any {
		if days == 0 {
			return on(false)
		}
		return map[string]any{"enabled": true, "days": days, "enforced": enforced}
	}
	list := map[string]any{
		"api_enabled": !rules.Disabled,
		"public":      on(false),
		"user":        map[string]any{"send_mail": false},
		"resharing":   false,
		"federation": map[string]any{
			"outgoing": !rules.NoFederation, "incoming": !rules.NoFederation, "expire_date": on(true), "expire_date_supported": on(true),
		},
		"sharee": map[string]any{"minSearchStringLength": 0, "query_lookup_default": false, "always_show_unique": true},
		"sharebymail": map[string]any{
			"enabled": !rules.NoLinks, "send_password_by_mail": true, "upload_files_drop": on(true),
			"password":    map[string]any{"enabled": true, "enforced": rules.EnforceLinkPassword},
			"expire_date": map[string]any{"enabled": true, "enforced": rules.EnforceLinkExpiry && rules.LinkExpireDays > 0},
		},
	}
	if rules.Disabled {
		return list
	}
	if !rules.NoLinks {
		list["public"] = map[string]any{
			"enabled":              true,
			"password":             map[string]any{"enforced": rules.EnforceLinkPassword, "askForOptionalPassword": false},
			"expire_date":          expiry(rules.LinkExpireDays, rules.EnforceLinkExpiry),
			"expire_date_internal": expiry(rules.InternalExpireDays, rules.EnforceInternalExpiry),
			"expire_date_remote":   expiry(rules.RemoteExpireDays, rules.EnforceRemoteExpiry),
			"multiple_links":       true, "send_mail": false,
			"upload": !rules.NoPublicUpload, "upload_files_drop": !rules.NoPublicUpload, "custom_tokens": rules.CustomTokens,
		}
	}
	list["resharing"] = !rules.NoResharing
	list["user"] = map[string]any{"send_mail": false, "expire_date": on(true)}
	list["group_sharing"] = !rules.NoGroups
	list["group"] = map[string]any{"enabled": !rules.NoGroups, "expire_date": on(true)}
	list["default_permissions"] = rules.DefaultPermissions
	list["exclude_reshare_from_edit"] = false
	return list
}
