package drydock_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
)

func TestRunRequestDistrusted(t *testing.T) {
	t.Parallel()
	trusted := drydock.RunRequest{
		Kind: drydock.DockerBuildRun, Source: "https://git.example/app.git#main", SourceToken: "token", Images: []string{"app"}, Push: true,
		Arguments:     []drydock.RunValue{{Name: "a", Value: "1"}, {Name: "b", Value: "hush", Secret: true}},
		Values:        []drydock.RunValue{{Name: "b", Value: "hush", Secret: true}, {Name: "c", Value: "x"}},
		Credentials:   []drydock.RunCredential{{Registry: "one", Password: drydock.SecretValue{Value: "hush"}}},
		RegistryLogin: true, Identity: drydock.ResourceID{Subscription: "hush"}, LogTemplate: "hush", UpdateTriggerToken: "hush",
	}
	want := drydock.RunRequest{
		Kind: trusted.Kind, Source: trusted.Source, SourceToken: "token", Images: trusted.Images, Untrusted: true,
		Arguments: trusted.Arguments[:1], Values: trusted.Values[1:],
	}
	if d := cmp.Diff(want, trusted.Distrusted()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(trusted.Arguments) != 2 || trusted.Arguments[1].Value != "hush" {
		t.Errorf("it changed the request: %+v", trusted)
	}
}

func TestRunRequestSplitsAndJoins(t *testing.T) {
	t.Parallel()
	want := drydock.RunRequest{
		Kind:        drydock.DockerBuildRun,
		Source:      "https://user:hush-password@git.example/app.git#main",
		SourceToken: "hush-token",
		Arguments:   []drydock.RunValue{{Name: "a", Value: "1"}, {Name: "b", Value: "hush-b", Secret: true}},
		Values:      []drydock.RunValue{{Name: "b", Value: "hush-other", Secret: true}, {Name: "c", Value: "x"}},
		Credentials: []drydock.RunCredential{
			{Registry: "one", Username: drydock.SecretValue{Value: "hush-u"}, Password: drydock.SecretValue{Value: "hush-p"}},
			{Registry: "two", Password: drydock.SecretValue{Value: "https://v.example/secrets/x", Vault: true}, Identity: "[system]"},
		},
	}
	public, secrets := want.Split()
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hush") {
		t.Errorf("secrets in %s", text)
	}
	if secrets.Empty() {
		t.Error("no secrets found")
	}
	if d := cmp.Diff(want, public.Join(secrets)); d != "" {
		t.Errorf("joined again (-want +got):\n%s", d)
	}
	if _, none := (drydock.RunRequest{Values: []drydock.RunValue{{Name: "c", Value: "x"}}}).Split(); !none.Empty() {
		t.Errorf("secrets found where there are none: %+v", none)
	}
}
