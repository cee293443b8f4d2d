package runner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/runner"
)

// keys is a vault that the system identity of one task may read, and the
// registries that this identity may use.
type keys struct{ owner drydock.ResourceID }

var _ runner.Identities = keys{}

// Login implements runner.Identities.
func (k keys) Login(_ context.Context, use drydock.IdentityUse, registry string) (drydock.Credential, error) {
	if err := k.check(use); err != nil {
		return drydock.Credential{}, err
	}
	return drydock.Credential{Registry: registry, Username: "token", Password: "hush-token-for-" + registry}, nil
}

// Secret implements runner.Identities.
func (k keys) Secret(_ context.Context, use drydock.IdentityUse, url string) (string, error) {
	if err := k.check(use); err != nil {
		return "", err
	}
	return "hush-" + strings.TrimPrefix(url, "https://keys.vault.example/secrets/"), nil
}

func (k keys) check(use drydock.IdentityUse) error {
	if use.Resource.Key() != k.owner.Key() || use.Name != "[system]" || use.Run == nil || use.Run.ID == "" {
		return drydock.Errorf(drydock.Denied, "%s of %s may not read the vault", use.Name, use.Resource.Name())
	}
	return nil
}

// What a task signs in with may be in a vault, or be an identity.
func TestCredentialsOfVaultsAndIdentities(t *testing.T) {
	t.Parallel()
	task := contoso.Child("tasks", "import")
	vaulted := func(name string) drydock.SecretValue {
		return drydock.SecretValue{Value: "https://keys.vault.example/secrets/" + name, Vault: true}
	}
	credentials := []drydock.RunCredential{
		{Registry: "plain.example", Username: drydock.SecretValue{Value: "me"}, Password: drydock.SecretValue{Value: "hush-plain"}},
		{Registry: "vaulted.example", Username: vaulted("user"), Password: vaulted("password"), Identity: "[system]"},
		{Registry: "mixed.example", Username: drydock.SecretValue{Value: "me"}, Password: vaulted("mixed"), Identity: "[system]"},
		{Registry: "identity.example", Identity: "[system]"},
	}
	request := drydock.RunRequest{
		Kind: drydock.EncodedTaskRun, Source: "https://git.example/import.git", Identity: task, Credentials: credentials,
		TaskContent: []byte("steps:\n- cmd: image\n  env: ['FAKE_OUT=hush-plain hush-password hush-mixed hush-token-for-identity.example']\n"),
	}
	s := &server{checkout: runner.Checkout{Dir: folder(t, "-- x --\n")}}
	agent := s.agent(&enginetest.Fake{})
	agent.Identities = keys{task}
	o := agent.CarryOut(t.Context(), record(t, request), begin)
	want := []drydock.Credential{
		{Registry: "plain.example", Username: "me", Password: "hush-plain"},
		{Registry: "vaulted.example", Username: "hush-user", Password: "hush-password"},
		{Registry: "mixed.example", Username: "me", Password: "hush-mixed"},
		{Registry: "identity.example", Username: "token", Password: "hush-token-for-identity.example"},
	}
	if d := cmp.Diff(want, s.asked.Credentials); d != "" || o.Status != drydock.RunSucceeded {
		t.Errorf("%s; signs in as (-want +got):\n%s", o.Result, d)
	}
	if text := s.log.String(); !strings.Contains(text, "*** *** *** ***") || strings.Contains(text, "hush") {
		t.Errorf("the log is %s", text)
	}

	for name, test := range map[string]struct {
		identities runner.Identities
		credential drydock.RunCredential
		want       string
	}{
		"a vault, and none": {nil, credentials[1], "signing in to vaulted.example: this server has neither vaults nor identities"},
		"half a vault":      {nil, credentials[2], "signing in to mixed.example: this server has neither vaults nor identities"},
		"an identity":       {nil, credentials[3], "signing in to identity.example: this server has neither vaults nor identities"},
		"another's vault":   {keys{contoso.Child("tasks", "other")}, credentials[1], "signing in to vaulted.example: [system] of import may not read the vault"},
		"another's login":   {keys{contoso.Child("tasks", "other")}, credentials[3], "signing in to identity.example: [system] of import may not read the vault"},
	} {
		request := request
		request.Credentials = []drydock.RunCredential{test.credential}
		s := &server{}
		agent := s.agent(&enginetest.Fake{})
		agent.Identities = test.identities
		o := agent.CarryOut(t.Context(), record(t, request), begin)
		if r := decode(t, o); o.Status != drydock.RunFailed || !strings.Contains(r.RunErrorMessage, test.want) || s.asked.Source != "" {
			t.Errorf("%s: %s: %q", name, o.Status, r.RunErrorMessage)
		}
	}
}
