package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock/test/serve"
)

// benchVault has the secret that is read.
const benchVault = "bench-vault"

// vaults measures how many reads of a secret a server answers in a second: the
// token and the access policy of the reader are checked, the value is decrypted,
// and the read is in the audit log, on the disk, before the value is given away.
func (l *lab) vaults(ctx context.Context, s *server, count int) (comparison, error) {
	t := &signIns{s: s}
	t.program = url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {s.Secret}, "scope": {"https://" + s.Host("vault") + "/.default"},
	}
	err := l.with(ctx, func(tb serve.TB) {
		client := s.On(tb).Client(serve.Client{})
		t.http = s.On(tb).HTTP()
		client.Must("group", "create", "-n", benchVault, "-o", "none")
		client.Must("keyvault", "create", "-g", benchVault, "-n", benchVault, "-o", "none")
		client.Must("keyvault", "secret", "set", "--vault-name", benchVault, "-n", "one", "--value", strings.Repeat("v", 64), "-o", "none")
	})
	return comparison{title: fmt.Sprintf("secrets of a key vault, %d clients at a time", clients), noRatio: true, contenders: []contender{{
		rows: []row{{name: "reads", unit: "a second"}},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			token, err := t.ask(ctx, t.program)
			if err != nil {
				return nil, err
			}
			rate, err := perSecond(ctx, count, func(ctx context.Context) error { return t.secret(ctx, token.Access) })
			return []float64{rate}, err
		},
	}}}, err
}

// secret reads the secret.
func (t *signIns) secret(ctx context.Context, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+t.s.Host(benchVault+".vault")+"/secrets/one?api-version=7.4", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	_, err = t.do(r)
	return err
}
