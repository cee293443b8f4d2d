package plan

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/drydockhq/drydock"
	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"
)

const (
	secretBatch   = 5 // secrets resolved at once, to spare the vaults
	secretTimeout = 2 * time.Minute
)

// declaredSecret is an entry of `secrets`, and where it stands.
type declaredSecret struct {
	drydock.Secret
	node *yaml.Node
	file document
}

// declaredSecrets reads `secrets` of a rendered task and nothing else of it.
func (m *maker) declaredSecrets(d document) ([]declaredSecret, error) {
	if !strings.Contains(d.text, "secrets") {
		return nil, nil
	}
	top, dec, err := parseYAML(d.text)
	if err != nil {
		return nil, m.locate(err, d)
	}
	if top == nil || top.Kind != yaml.MappingNode {
		return nil, nil
	}
	pairs, mapErr := dec.mapping(top, "the task")
	if mapErr != nil {
		return nil, m.locate(mapErr, d)
	}
	for _, p := range pairs {
		if p.key != "secrets" {
			continue
		}
		secrets, err := dec.secrets(p.value)
		for i := range secrets {
			secrets[i].file = d
		}
		return secrets, m.locate(err, d)
	}
	return nil, nil
}

// secrets reads the list of `secrets`.
func (d *decoder) secrets(n *yaml.Node) ([]declaredSecret, error) {
	items, err := d.items(n, "secrets")
	if err != nil {
		return nil, err
	}
	var all []declaredSecret
	for _, item := range items {
		s, err := d.secret(item)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if other.ID == s.ID {
				return nil, invalid(item, "two secrets have the id %q", s.ID)
			}
		}
		all = append(all, declaredSecret{Secret: s, node: item})
	}
	return all, nil
}

func (d *decoder) secret(n *yaml.Node) (s drydock.Secret, err error) {
	f, err := d.fields(n, "a secret", "id", "keyvault", "clientID")
	if err != nil {
		return s, err
	}
	for name, to := range map[string]*string{"id": &s.ID, "keyvault": &s.KeyVault, "clientID": &s.ClientID} {
		if *to, err = d.text(f[name], name); err != nil {
			return s, err
		}
	}
	switch {
	case s.ID == "":
		return s, invalid(n, "a secret has no `id`")
	case strings.ContainsFunc(s.ID, unicode.IsSpace):
		return s, invalid(f["id"], "the secret id %q contains a space", s.ID)
	case s.KeyVault == "":
		return s, invalid(n, "the secret %q has no `keyvault`", s.ID).
			WithHint("name the secret's URL; `clientID` only selects the identity that reads it")
	}
	if s.ClientID != "" {
		if _, err := uuid.Parse(s.ClientID); err != nil || len(s.ClientID) != 36 {
			return s, invalid(f["clientID"], "the `clientID` %q of the secret %q is not a GUID", s.ClientID, s.ID)
		}
	}
	return s, nil
}

// resolve reads the values of secrets, a few at a time.
func (m *maker) resolve(ctx context.Context, secrets []declaredSecret) (map[string]any, error) {
	if m.in.Secrets == nil {
		err := invalid(secrets[0].node, "the task uses the secret %q, and there is no vault to read it from", secrets[0].ID).
			WithHint("pass the value with --set-secret and use it as {{.Values.%s}}", secrets[0].ID)
		return nil, m.locate(err, secrets[0].file)
	}
	values := make([]string, len(secrets))
	for start := 0; start < len(secrets); start += secretBatch {
		batch, batchCtx := errgroup.WithContext(ctx)
		for i := start; i < min(start+secretBatch, len(secrets)); i++ {
			batch.Go(func() (err error) {
				values[i], err = m.resolveOne(batchCtx, secrets[i])
				return err
			})
		}
		if err := batch.Wait(); err != nil {
			return nil, err
		}
	}
	result := make(map[string]any, len(secrets))
	for i, s := range secrets {
		m.keepSecret(values[i])
		result[s.ID] = values[i]
	}
	return result, nil
}

func (m *maker) resolveOne(ctx context.Context, s declaredSecret) (string, error) {
	timed, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	value, err := m.in.Secrets.Resolve(timed, s.Secret)
	if err == nil {
		return value, nil
	}
	if ctx.Err() == nil && errors.Is(timed.Err(), context.DeadlineExceeded) {
		err = drydock.Errorf(drydock.Unavailable, "no answer within %s", secretTimeout)
	}
	code := drydock.CodeOf(err)
	if code == drydock.Internal {
		code = drydock.Unavailable
	}
	e := drydock.Errorf(code, "reading the secret %q: %w", s.ID, err)
	return "", m.locate(e.At(s.node.Line, s.node.Column), s.file)
}
