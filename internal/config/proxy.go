package config

import (
	"net/url"
	"strings"
)

// Environ returns an environment in which programs find the proxies.
func (p Proxy) Environ(environ []string) []string {
	set := map[string]string{}
	for name, u := range map[string]*url.URL{"HTTP_PROXY": p.HTTP, "HTTPS_PROXY": p.HTTPS} {
		if u != nil {
			set[name] = u.String()
		}
	}
	if p.Except != "" {
		set["NO_PROXY"] = p.Except
	}
	if len(set) == 0 {
		return environ
	}
	out := make([]string, 0, len(environ)+2*len(set))
	for _, text := range environ {
		name, _, _ := strings.Cut(text, "=")
		if _, ok := set[strings.ToUpper(name)]; !ok {
			out = append(out, text)
		}
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, ok := set[name]; ok {
			// Programs differ in which of the two they read.
			out = append(out, name+"="+value, strings.ToLower(name)+"="+value)
		}
	}
	return out
}
