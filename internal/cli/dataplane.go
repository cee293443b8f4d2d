package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/drydockhq/drydock"
)

// dataFlags say which registry is spoken to itself, and as whom.
type dataFlags struct {
	registryFlags
	user, password, suffix string
}

func (d *dataFlags) byName(f *flags) {
	d.registryFlags.byName(f)
	d.credentials(f)
}

func (d *dataFlags) byRegistry(f *flags) {
	d.registryFlags.byRegistry(f)
	d.credentials(f)
}

func (d *dataFlags) credentials(f *flags) {
	f.StringVarP(&d.user, "username", "u", "", "user of the registry, instead of who is signed in")
	f.StringVarP(&d.password, "password", "p", "", "password of that user")
	f.StringVar(&d.suffix, "suffix", "", "what is added to the registry's name in its login server")
}

// dataPlane is a client of a registry itself.
type dataPlane struct {
	*session
	server         string // login server
	user, password string
}

// open returns the client of the registry that the flags name.
func (d *dataFlags) open(c *call) (*dataPlane, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	name, err := d.name(c, s)
	if err != nil {
		return nil, err
	}
	if d.user != "" && d.password == "" {
		if d.password, err = c.askSecret("Password: "); err != nil {
			return nil, err
		}
	}
	return s.dataPlane(name, d), nil
}

func (s *session) dataPlane(name string, d *dataFlags) *dataPlane {
	p := &dataPlane{session: s, server: strings.ToLower(name) + s.cloud.RegistrySuffix}
	if d != nil {
		p.user, p.password = d.user, d.password
		if d.suffix != "" {
			p.server = strings.ToLower(name) + "-" + d.suffix + s.cloud.RegistrySuffix
		}
	}
	return p
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
	return d.roundTrip(req)
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

// maxPage is how many items are asked for at a time.
const maxPage = 100

// list returns the items below a key of all pages, or the first top of them.
func (d *dataPlane) list(ctx context.Context, r dataRequest, key, order string, top int) ([]any, error) {
	query := url.Values{"n": {fmt.Sprint(maxPage)}}
	if top > 0 && top < maxPage {
		query.Set("n", fmt.Sprint(top))
	}
	if order != "" {
		query.Set("orderby", strings.ReplaceAll(order, "_", ""))
	}
	r.method, r.path = http.MethodGet, r.path+"?"+query.Encode()
	items := []any{}
	for {
		answer, err := d.send(ctx, r)
		if err != nil {
			return nil, err
		}
		var page object
		if err := decode(answer, &page); err != nil {
			return nil, err
		}
		list, _ := page[key].([]any)
		items = append(items, list...)
		if top > 0 && len(items) >= top {
			return items[:top], nil
		}
		if r.path = nextPage(answer); r.path == "" || len(list) == 0 {
			return items, nil
		}
	}
}

// nextPage reads the Link header of RFC 8288: </path?query>; rel="next".
func nextPage(answer *http.Response) string {
	link := answer.Header.Get("Link")
	from, to := strings.IndexByte(link, '<'), strings.IndexByte(link, '>')
	if from < 0 || to < from || !strings.Contains(link[to:], "next") {
		return ""
	}
	u, err := url.Parse(link[from+1 : to])
	if err != nil {
		return ""
	}
	return u.RequestURI()
}
