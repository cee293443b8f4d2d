package auth

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// scopedClaims are those of a registry's tokens for who is known to it alone.
type scopedClaims struct {
	// Token is the name of the token that signed in, Password the id of the
	// password that it did so with.
	Token    string `json:"drydock_token,omitempty"`
	Password string `json:"drydock_password,omitempty"`
	// Anybody is set for who did not sign in.
	Anybody bool `json:"drydock_anybody,omitempty"`
}

// anybody returns the principal of those who did not sign in to a registry. One
// that does not let everybody pull refuses them.
func anybody(ctx context.Context, resources drydock.ResourceStore, registry drydock.ResourceID) (drydock.Principal, error) {
	r, err := resources.Resource(ctx, registry)
	if err != nil {
		return drydock.Principal{}, err
	}
	var body struct {
		Properties struct{ AnonymousPullEnabled bool }
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return drydock.Principal{}, fmt.Errorf("reading the registry %s: %w", registry.Name(), err)
	}
	if !body.Properties.AnonymousPullEnabled {
		return drydock.Principal{}, drydock.Errorf(drydock.Denied, "there is no anonymous access to the registry %s", registry.Name()).
			WithHint("sign in; or acr update --anonymous-pull-enabled lets everybody pull")
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte("anybody "+registry.Key())).String()
	return drydock.Principal{ID: id, AppID: id, Kind: drydock.Anybody, Name: "anonymous", Owner: registry}, nil
}

// anybodyMay returns those of the wanted actions that need no sign-in: to pull,
// and to read the tags and manifests of a repository whose name is known. The
// list of repositories stays closed, as it does in ACR.
func anybodyMay(want RepositoryAccess) []string {
	var allowed []string
	for _, action := range want.Actions {
		if want.Type == "repository" && (action == "pull" || action == "metadata_read") {
			allowed = append(allowed, action)
		}
	}
	return allowed
}
