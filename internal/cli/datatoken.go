package cli

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock"
)

// refreshToken exchanges who is signed in for a token of the registry.
func (d *dataPlane) refreshToken(ctx context.Context) (string, error) {
	credential, err := d.credential()
	if err != nil {
		return "", err
	}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{d.cloud.Audience + "/.default"}})
	if err != nil {
		return "", err
	}
	return d.form(ctx, "/oauth2/exchange", "refresh_token", url.Values{
		"grant_type": {"access_token"}, "service": {d.server}, "tenant": {d.account.Tenant}, "access_token": {token.Token},
	})
}

// token returns an access token for a scope.
func (d *dataPlane) token(ctx context.Context, scope string) (string, error) {
	form := url.Values{"service": {d.server}, "scope": {scope}}
	if d.user != "" {
		form.Set("grant_type", "password")
		form.Set("username", d.user)
		form.Set("password", d.password)
		return d.form(ctx, "/oauth2/token", "access_token", form)
	}
	refresh, err := d.refreshToken(ctx)
	if err != nil {
		return "", err
	}
	form.Set("grant_type", "refresh_token")
	form.Set("refresh_token", refresh)
	return d.form(ctx, "/oauth2/token", "access_token", form)
}

func (d *dataPlane) form(ctx context.Context, path, key string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+d.server+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := d.roundTrip(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var o object
	if err := decode(answer, &o); err != nil {
		return "", err
	}
	if text(o, key) == "" {
		return "", drydock.Errorf(drydock.Failed, "%s gives no token", d.server)
	}
	return text(o, key), nil
}
