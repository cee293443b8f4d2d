package serve_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// Runs and imports of one registry reach repositories of another with a token of
// that, as far as its scope map goes, and without one not at all.
func TestTokensOfAnotherRegistry(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	a.CreateRegistry("fabrikam")
	login := s.LoginServer("fabrikam")
	for _, repository := range []string{"shop/web", "other"} {
		push(t, s, login+"/"+repository+":v1")
	}
	password := tokenMaker{a, t}.scoped("fabrikam", "robot", "repositories/shop/*/content/read")[0]
	for _, c := range []struct {
		repository, password string
		works                bool
	}{{"shop/web", password, true}, {"other", password, false}, {"shop/web", "", false}, {"shop/web", "wrong", false}} {
		what := fmt.Sprintf("%s with the password %q", c.repository, strings.ReplaceAll(c.password, password, "right"))
		if err := importFrom(t, a, login, c.repository, c.password); (err == nil) != c.works {
			t.Errorf("importing %s: %v", what, err)
		}
		credentials := `{}`
		if c.password != "" {
			credentials = `{"customRegistries":{"` + login + `":{"userName":{"type":"Opaque","value":"robot"},"password":{"type":"Opaque","value":"` + c.password + `"}}}}`
		}
		task := serve.Task("steps:\n- cmd: " + login + "/" + c.repository + ":v1\n")
		task.Credentials = registryCredentials(t, credentials)
		run := a.Schedule("contoso", task)
		text, end := a.WaitLog("contoso", run)
		if (end == "successful") != c.works {
			t.Errorf("running %s: %s\n%s", what, end, text)
		}
		if strings.Contains(text, password) {
			t.Errorf("running %s: the password is in the log\n%s", what, text)
		}
	}
}

func registryCredentials(t *testing.T, text string) *armcontainerregistry.Credentials {
	t.Helper()
	var c armcontainerregistry.Credentials
	if err := c.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return &c
}

// importFrom imports an image of another registry into contoso.
func importFrom(t *testing.T, a *serve.Azure, host, repository, password string) error {
	t.Helper()
	source := &armcontainerregistry.ImportSource{RegistryURI: &host, SourceImage: to.Ptr(repository + ":v1")}
	if password != "" {
		source.Credentials = &armcontainerregistry.ImportSourceCredentials{Username: to.Ptr("robot"), Password: &password}
	}
	poller, err := a.Registries.BeginImportImage(t.Context(), serve.Group, "contoso", armcontainerregistry.ImportImageParameters{
		Source: source, TargetTags: []*string{to.Ptr("copy:v1")}, Mode: to.Ptr(armcontainerregistry.ImportModeForce),
	}, nil)
	if err == nil {
		_, err = poller.PollUntilDone(t.Context(), nil)
	}
	return err
}
