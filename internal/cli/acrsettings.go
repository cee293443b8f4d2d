package cli

import "github.com/drydockhq/drydock/internal/cli/args"

// registrySettings are what can be set of a registry, at its creation or later.
type registrySettings struct {
	sku                                         args.Enum
	admin, anonymous, public, exports, services args.Bool
	endpoints                                   args.Bool
	action, zones                               args.Enum
}

func (s *registrySettings) define(f *flags) {
	s.action.Choices, s.zones.Choices = []string{"Allow", "Deny"}, []string{"Enabled", "Disabled"}
	f.Var(&s.sku, "sku", "SKU, which is kept and gates nothing")
	s.admin.Var(f.FlagSet, "admin-enabled", "whether the admin user is enabled")
	s.anonymous.Var(f.FlagSet, "anonymous-pull-enabled", "whether anybody may pull")
	s.public.Var(f.FlagSet, "public-network-enabled", "whether the public network may reach it")
	s.exports.Var(f.FlagSet, "allow-exports", "whether artifacts may be exported")
	s.services.Var(f.FlagSet, "allow-trusted-services", "whether trusted services may reach it")
	s.endpoints.Var(f.FlagSet, "data-endpoint-enabled", "whether there are data endpoints")
	f.Var(&s.action, "default-action", "what happens when no network rule matches")
	f.Var(&s.zones, "zone-redundancy", "whether it is kept in several zones")
}

// properties returns what the flags set of a registry's properties.
func (s *registrySettings) properties(isNew bool) object {
	p := with("zoneRedundancy", s.zones.Value)
	if isNew {
		p["adminUserEnabled"] = s.admin.Value
	}
	for key, flag := range map[string]args.Bool{
		"adminUserEnabled": s.admin, "anonymousPullEnabled": s.anonymous, "dataEndpointEnabled": s.endpoints,
	} {
		if flag.Given {
			p[key] = flag.Value
		}
	}
	if s.public.Given {
		p["publicNetworkAccess"] = word(s.public.Value, "Enabled", "Disabled")
	}
	if s.services.Given {
		p["networkRuleBypassOptions"] = word(s.services.Value, "AzureServices", "None")
	}
	if s.exports.Given {
		p["policies"] = object{"exportPolicy": object{"status": word(s.exports.Value, "enabled", "disabled")}}
	}
	if s.action.Value != "" {
		p["networkRuleSet"] = object{"defaultAction": s.action.Value}
	}
	return p
}

func word(v bool, yes, no string) string {
	if v {
		return yes
	}
	return no
}
