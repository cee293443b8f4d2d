package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydockhq/drydock/test/serve"
)

// signIns is a server's authority, and who signs in at it.
type signIns struct {
	s        *server
	http     *http.Client
	program  url.Values // the form of a service principal that asks for a token
	renewal  url.Values // that of a person who renews one
	password url.Values // that of a person who shows a password
}

// The client id of the Azure CLI, and a user of the benchmark.
const (
	azureCLI   = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	benchLogin = "bench@drydock.test"
	benchWord  = "correct horse battery"
)

// tokens measures how many tokens a server issues in a second, and how many
// requests it answers whose token it checks: with the roles of who asks.
func (l *lab) tokens(ctx context.Context, s *server, count int) (comparison, error) {
	t := &signIns{s: s}
	scope := "https://" + s.Host("management") + "/.default"
	t.program = url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {s.Secret}, "scope": {scope}}
	t.password = url.Values{"grant_type": {"password"}, "client_id": {azureCLI}, "username": {benchLogin}, "password": {benchWord}, "scope": {scope + " openid"}}
	err := l.with(ctx, func(tb serve.TB) { t.http = s.On(tb).HTTP() })
	if err == nil {
		err = t.prepare(ctx)
	}
	return comparison{title: fmt.Sprintf("tokens, %d clients at a time", clients), noRatio: true, contenders: []contender{{
		rows: []row{
			{name: "issued to programs with a secret", unit: "a second"},
			{name: "issued to people who renew theirs", unit: "a second"},
			{name: "requests answered whose token is checked", unit: "a second"},
		},
		do: func(ctx context.Context, _ int) ([]float64, error) { return t.measure(ctx, count) },
	}}}, err
}

// prepare makes the person.
func (t *signIns) prepare(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, t.s.client.Program, "ad", "user", "create", "--display-name", "Bench", "--user-principal-name", benchLogin, "--password", benchWord)
	cmd.Env = t.s.client.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a user: %w\n%s", err, out)
	}
	signedIn, err := t.ask(ctx, t.password)
	t.renewal = url.Values{"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {signedIn.Refresh}, "scope": t.password["scope"]}
	return err
}

func (t *signIns) measure(ctx context.Context, count int) ([]float64, error) {
	token, err := t.ask(ctx, t.program)
	if err != nil {
		return nil, err
	}
	var rates []float64
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := t.ask(ctx, t.program); return err },
		func(ctx context.Context) error { _, err := t.ask(ctx, t.renewal); return err },
		func(ctx context.Context) error { return t.read(ctx, token.Access) },
	} {
		rate, err := perSecond(ctx, count, do)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// perSecond does something again and again, with several clients at a time.
func perSecond(ctx context.Context, count int, do func(context.Context) error) (float64, error) {
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for client := range clients {
		group.Go(func() error {
			for i := client; i < count; i += clients {
				if err := do(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(count) / time.Since(began).Seconds(), err
}

type issued struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// ask asks for tokens.
func (t *signIns) ask(ctx context.Context, form url.Values) (tokens issued, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+t.s.Host("login")+"/adfs/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return tokens, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	text, err := t.do(r)
	if err == nil {
		err = json.Unmarshal(text, &tokens)
	}
	return tokens, err
}

// read asks the resource manager for something that it has at hand.
func (t *signIns) read(ctx context.Context, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+t.s.Host("management")+"/subscriptions?api-version=2022-12-01", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	_, err = t.do(r)
	return err
}

func (t *signIns) do(r *http.Request) ([]byte, error) {
	answer, err := t.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", r.Method, r.URL.Path, answer.Status, bytes.TrimSpace(text))
	}
	return text, err
}
