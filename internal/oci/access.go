package oci

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// grants are what the caller of one request may do: what a token says, or, for
// credentials, what the authorizer says when it is asked.
type grants func(want Access) (bool, error)

// tokenGrants returns what a token grants.
func tokenGrants(granted []Access) grants {
	return func(want Access) (bool, error) {
		for _, action := range want.Actions {
			if !slices.ContainsFunc(granted, func(have Access) bool {
				return have.Type == want.Type && have.Name == want.Name && slices.Contains(have.Actions, action)
			}) {
				return false, nil
			}
		}
		return true, nil
	}
}

// needs returns what a request must be allowed to do. It is not ok when the
// method makes no sense for the path.
func (c *call) needs() (need Access, ok bool) {
	reads := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	on := func(actions ...string) Access { return Access{repositoryType, c.route.repository, actions} }
	switch c.route.kind {
	case ping:
		return Access{}, reads
	case catalog, acrCatalog:
		return Access{registryType, catalogName, []string{Everything}}, reads
	case referrers:
		return on(Pull), reads
	case tagList, acrTags, acrManifests:
		return on(ReadMetadata), reads
	case upload:
		return on(Pull, Push), reads || c.isOneOf(http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete)
	}
	switch {
	case reads && (c.route.kind == manifest || c.route.kind == blob):
		return on(Pull), true
	case reads:
		return on(ReadMetadata), true
	case c.r.Method == http.MethodDelete:
		return on(Delete), true
	case c.r.Method == http.MethodPut:
		return on(Pull, Push), c.route.kind == manifest
	case c.r.Method == http.MethodPatch:
		return on(WriteMetadata), c.route.kind == acrRepository || c.route.kind == acrTag || c.route.kind == acrManifest
	}
	return Access{}, false
}

func (c *call) isOneOf(methods ...string) bool { return slices.Contains(methods, c.r.Method) }

// authorize finds out who calls and checks that they may do what they want.
func (c *call) authorize(need Access) error {
	scheme, value, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		p, granted, err := c.server.options.Authorizer.VerifyAccess(c.r.Context(), c.registry.ID, strings.TrimSpace(value))
		if drydock.CodeOf(err) == drydock.Denied {
			return c.challenge(need, "invalid_token", "the access token is not good: "+err.Error())
		}
		if err != nil {
			return err
		}
		c.caller, c.grants = p, tokenGrants(granted)
	case "basic":
		credentials, ok := basicCredentials(c.r)
		if !ok {
			return c.challenge(need, "", "the credentials can't be read")
		}
		p, err := c.signIn(credentials)
		if err != nil {
			return err
		}
		c.caller, c.grants = p, c.credentialGrants(p)
	default:
		return c.challenge(need, "", "authentication required")
	}
	if err := c.witness(); err != nil {
		return err
	}
	return c.require(need, strings.EqualFold(scheme, "bearer"))
}

// witness tells of what changes something. Parts of images are nothing before
// their manifest is there.
func (c *call) witness() error {
	if c.route.kind == upload {
		return nil
	}
	return drydock.Witnessed(c.r.Context(), drydock.Act{Principal: c.caller, Action: c.action(), Target: c.registry.ID.String() + c.r.URL.Path})
}

// action is what a request changes, as roles have it.
func (c *call) action() string {
	if c.r.Method == http.MethodDelete {
		return "Microsoft.ContainerRegistry/registries/artifacts/delete"
	}
	return "Microsoft.ContainerRegistry/registries/push/write"
}

// require checks that the caller may do something. Who has a token may get
// another one that allows more.
func (c *call) require(need Access, token bool) error {
	if need.Type == "" {
		return nil
	}
	allowed, err := c.grants(need)
	if err == nil && !allowed && token && c.route.kind == tagList {
		allowed, err = c.listsTags(need)
	}
	if err != nil || allowed {
		return err
	}
	message := "not allowed: " + strings.Join(need.Actions, " and ") + " on " + need.Type + " " + need.Name
	if token {
		return c.challenge(need, "insufficient_scope", message)
	}
	status := http.StatusForbidden
	if c.route.kind >= acrCatalog {
		status = http.StatusUnauthorized // az takes other statuses for a fault and tries again
	}
	return newProblem(status, "DENIED", message)
}

// listsTags reports whether the tags may be listed with a token that is for
// pulling: clients ask for no other, while ACR's tokens may be for one of the
// two alone.
func (c *call) listsTags(need Access) (bool, error) {
	pulls, err := c.grants(Access{need.Type, need.Name, []string{Pull}})
	if err != nil || !pulls {
		return false, err
	}
	return c.credentialGrants(c.caller)(need)
}

// credentialGrants returns what the authorizer says that a principal may do.
func (c *call) credentialGrants(p drydock.Principal) grants {
	return func(want Access) (bool, error) {
		allowed, err := c.server.options.Authorizer.Allowed(c.r.Context(), c.registry.ID, p, want)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(want.Actions, func(action string) bool {
			return !slices.Contains(allowed, action)
		}), nil
	}
}

// challenge says how to get what a request needs, and may have if it is a mount.
func (c *call) challenge(need Access, code, message string) error {
	if need.Type == "" {
		return c.challenges(nil, code, message)
	}
	needs := []Access{need}
	if from, ok := c.mountSource(); ok {
		needs = append(needs, from)
	}
	return c.challenges(needs, code, message)
}

// mountSource returns what a mount needs of the repository that it is from.
func (c *call) mountSource() (Access, bool) {
	query := c.r.URL.Query()
	from := Access{repositoryType, query.Get("from"), []string{Pull}}
	return from, c.route.kind == upload && c.r.Method == http.MethodPost &&
		drydock.CheckRepositoryName(from.Name) == nil && checkDigest(query.Get("mount")) == nil
}

// challenges says how to get in. There is no space after the commas: az can't
// read one.
func (c *call) challenges(needs []Access, code, message string) error {
	header := `Bearer realm="` + c.absolute("/oauth2/token") + `",service="` + c.r.Host + `"`
	var scopes []string
	var detail []map[string]any
	for _, need := range needs {
		scopes = append(scopes, need.Type+":"+need.Name+":"+strings.Join(need.Actions, ","))
		detail = append(detail, map[string]any{"Type": need.Type, "Name": need.Name, "Actions": need.Actions})
	}
	if len(scopes) > 0 {
		header += `,scope="` + strings.Join(scopes, " ") + `"`
	}
	if code != "" {
		header += `,error="` + code + `"`
	}
	c.w.Header().Set("WWW-Authenticate", header)
	p := newProblem(http.StatusUnauthorized, "UNAUTHORIZED", message)
	if detail != nil {
		p.Detail = detail
	}
	return p
}
