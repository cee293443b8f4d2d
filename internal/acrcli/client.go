package acrcli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
)

// client speaks to one registry: its distribution API and ACR's own, /acr/v1.
type client struct {
	server string // login server
	auth   *auth.Client
}

// client returns that of the registry that is meant, with the credentials of the
// flags or of Docker's configuration.
func (a *app) client(ctx context.Context) (*client, error) {
	server, err := a.loginServer()
	if err != nil {
		return nil, err
	}
	found, err := a.credential(ctx, server)
	if err != nil {
		return nil, err
	}
	transport := a.HTTP.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	again := *a.HTTP
	again.Transport = retry.NewTransport(transport) // after 429 and 5xx
	return &client{server: server, auth: &auth.Client{
		Client: &again, Cache: auth.NewCache(), Credential: auth.StaticCredential(server, found),
		Header: http.Header{"User-Agent": {"acr-cli drydock/" + a.Version}},
	}}, nil
}

func (a *app) credential(ctx context.Context, server string) (auth.Credential, error) {
	if a.user != "" || a.password != "" {
		if a.user == "" { // an identity token
			return auth.Credential{RefreshToken: a.password}, nil
		}
		return auth.Credential{Username: a.user, Password: a.password}, nil
	}
	keychain, err := a.keychain()
	if err != nil {
		return auth.Credential{}, err
	}
	found, ok, err := keychain.Lookup(ctx, credentials.Host(server))
	switch {
	case err != nil:
		return auth.Credential{}, fmt.Errorf("looking up the credentials for %s: %w", server, err)
	case !ok:
		return auth.EmptyCredential, nil // for what anybody may do
	case found.Username == "":
		return auth.Credential{RefreshToken: found.Secret}, nil
	}
	return auth.Credential{Username: found.Username, Password: found.Secret}, nil
}

// keychain returns where credentials are looked up: files that are named, in turn,
// or the user's.
func (a *app) keychain() (credentials.Keychain, error) {
	if len(a.configs) == 0 && a.Keychain != nil {
		return a.Keychain, nil
	}
	if len(a.configs) == 0 {
		return credentials.DockerConfig(credentials.Environment{Env: a.Environ, EUID: os.Geteuid()})
	}
	var all []credentials.Keychain
	for _, name := range a.configs {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the credentials of --config: %w", err)
		}
		// Only what the file says, and not what the user has elsewhere.
		env := []string{"DOCKER_AUTH_CONFIG=" + string(text), "DOCKER_CONFIG=" + os.DevNull}
		k, err := credentials.DockerConfig(credentials.Environment{Env: env, EUID: os.Geteuid()})
		if err != nil {
			return nil, fmt.Errorf("reading the credentials of --config %s: %w", name, err)
		}
		all = append(all, k)
	}
	return credentials.Chain(all...), nil
}

// catalogScope is what a token has to be for to list repositories.
const catalogScope = "registry:catalog:*"

// repositoryScope is what a token is asked to be for to do what is done in a
// repository: one token for all of it.
func repositoryScope(name string) string {
	return "repository:" + name + ":delete,metadata_read,metadata_write,pull"
}

// refusal is an answer that is no success.
type refusal struct {
	Status  int
	Code    string // OCI's or ACR's; may be empty
	Message string
	doing   string
}

// Error says what was refused, and why.
func (r *refusal) Error() string {
	text := fmt.Sprintf("%s: HTTP status %d", r.doing, r.Status)
	if r.Message != "" {
		text += fmt.Sprintf(" (%s) %s", r.Code, r.Message)
	}
	return text
}

// maxAnswer bounds what is read of an answer: a page of a list is far below.
const maxAnswer = 32 << 20

// send sends a request, and returns the body of the answer and where the next page
// is.
func (c *client) send(ctx context.Context, scope, method, path string, accept []string, body any) (text []byte, next string, err error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, "", err
		}
		content = bytes.NewReader(text)
	}
	u := url.URL{Scheme: "https", Host: c.server}
	req, err := http.NewRequestWithContext(auth.WithScopes(ctx, scope), method, u.String()+path, content)
	if err != nil {
		return nil, "", drydock.Errorf(drydock.Invalid, "asking %s: %w", c.server, err)
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header["Accept"] = slices.Clone(accept)
	answer, err := c.auth.Do(req)
	if err != nil {
		return nil, "", c.unanswered(err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, "", fmt.Errorf("reading the answer of %s: %w", c.server, err)
	}
	if answer.StatusCode >= 300 {
		return nil, "", refused(answer, text)
	}
	return text, nextPage(answer.Header.Get("Link")), nil
}

// unanswered explains why there is no answer: mostly that the token which the
// registry asks for was refused.
func (c *client) unanswered(err error) error {
	var said *errcode.ErrorResponse
	if !errors.As(err, &said) {
		return fmt.Errorf("asking %s: %w", c.server, err)
	}
	return drydock.Errorf(drydock.Denied, "signing in to %s: HTTP status %d (%w)", c.server, said.StatusCode, said.Errors).
		WithHint("a task is given credentials with az acr task credential add; elsewhere docker login keeps them, or name them with --username and --password")
}

func refused(answer *http.Response, text []byte) error {
	r := &refusal{Status: answer.StatusCode, doing: answer.Request.Method + " " + answer.Request.URL.Path}
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(text, &body) == nil && len(body.Errors) > 0 {
		r.Code, r.Message = body.Errors[0].Code, body.Errors[0].Message
	}
	return r
}
