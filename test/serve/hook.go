package serve

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// TriggerHook returns the URL at which registries elsewhere tell a registry of
// pushes, and the secret for that.
func (a *Azure) TriggerHook(registry string) (url, secret string) {
	s := a.Server
	s.t.Helper()
	token, err := s.Admin().GetToken(s.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + s.Host("management") + "/.default"}})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "https://"+s.Host("management")+
		"/subscriptions/"+a.Subscription+"/resourceGroups/"+Group+"/providers/Microsoft.ContainerRegistry/registries/"+registry+
		"/listTriggerHook?api-version=2019-06-01-preview", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := s.HTTP().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var hook struct{ URL, Secret string }
	if err != nil || json.Unmarshal(text, &hook) != nil || hook.Secret == "" {
		s.t.Fatal("asking for the hook: ", resp.Status, err, string(text))
	}
	return hook.URL, hook.Secret
}
