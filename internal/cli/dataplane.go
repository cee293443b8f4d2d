package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// dataPlane is a client of a registry itself.
type dataPlane struct {
	*session
	server         string // login server
	user, password string
}

// dataRequest is one to a registry.
type dataRequest struct {
	method string
	path   string // with its query
	scope  string // what the token is for
	accept string
	body   any // nil for none
}

func repositoryScope(name, actions string) string { return "repository:" + name + ":" + actions }

// send sends a request and returns the answer, if it is a success.
func (d *dataPlane) send(ctx context.Context, r dataRequest) (*http.Response, error) {
	token, err := d.token(ctx, r.scope)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "https://"+d.server+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := d.roundTrip(req)
	var refused *azcore.ResponseError
	if errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden) {
		return nil, d.missingRight(refused, r.scope)
	}
	return answer, err
}

// roundTrip carries out a request; an answer that is no success is an error.
func (d *dataPlane) roundTrip(req *http.Request) (*http.Response, error) {
	answer, err := d.clientOptions().Transport.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		return nil, runtime.NewResponseError(answer)
	}
	return answer, nil
}

// do returns the answer to a request as JSON.
func (d *dataPlane) do(ctx context.Context, r dataRequest) (object, error) {
	answer, err := d.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var o object
	return o, decode(answer, &o)
}
