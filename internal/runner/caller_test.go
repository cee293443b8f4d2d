package runner_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/runner"
)

// uses notes what a run does as whom.
type uses struct{ did []string }

var _ runner.Identities = (*uses)(nil)

// Login implements runner.Identities.
func (u *uses) Login(_ context.Context, use drydock.IdentityUse, registry string) (drydock.Credential, error) {
	u.did = append(u.did, "login to "+registry+" as "+use.Name+" for "+use.Caller)
	return drydock.Credential{Registry: registry, Username: "token", Password: "hush"}, nil
}

// Secret implements runner.Identities.
func (u *uses) Secret(_ context.Context, use drydock.IdentityUse, url string) (string, error) {
	u.did = append(u.did, "read "+url+" as "+use.Name+" for "+use.Caller)
	return "hush", nil
}

// Who asks for a run lets it use its own registry. The credentials of its task,
// which others may have written, can name that one for nothing else.
func TestWhoAsksForARunIsUsedForItsRegistryAlone(t *testing.T) {
	t.Parallel()
	const secret = "https://keys.vault.example/secrets/root"
	u := &uses{}
	s := &server{}
	agent := s.agent(&enginetest.Fake{})
	agent.Identities = u
	request := drydock.RunRequest{
		Kind: drydock.EncodedTaskRun, Identity: contoso.Child("tasks", "import"), RegistryLogin: true,
		RegistryIdentity: drydock.CallerIdentity, Caller: "owner",
		Credentials: []drydock.RunCredential{
			{Registry: "other.example", Identity: drydock.CallerIdentity},
			{Registry: "vaulted.example", Username: drydock.SecretValue{Value: "me"}, Password: drydock.SecretValue{Value: secret, Vault: true}, Identity: drydock.CallerIdentity},
		},
		TaskContent: []byte("steps:\n- cmd: image\n"),
	}
	if o := agent.CarryOut(t.Context(), record(t, request), begin); o.Status != drydock.RunSucceeded {
		t.Fatalf("%s: %s", o.Status, o.Result)
	}
	want := []string{
		"login to other.example as [caller] for ", "read " + secret + " as [caller] for ",
		"login to " + agent.LoginServer(contoso) + " as [caller] for owner",
	}
	if d := cmp.Diff(want, u.did); d != "" {
		t.Errorf("what the run did (-want +got):\n%s", d)
	}
}
