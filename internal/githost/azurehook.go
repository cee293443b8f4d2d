package githost

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// receiveAzure reads a call of a service hook, which shows the secret as its
// password: there are no signatures.
func receiveAzure(secret string, header http.Header, body []byte) (Delivery, error) {
	user, password, ok := (&http.Request{Header: header}).BasicAuth()
	if !ok || secret == "" || user != hookUser || subtle.ConstantTimeCompare([]byte(password), []byte(secret)) != 1 {
		return Delivery{}, drydock.Errorf(drydock.Denied, "the password of the delivery is wrong")
	}
	var event struct {
		ID       string          `json:"id"`
		Type     string          `json:"eventType"`
		Resource json.RawMessage `json:"resource"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Delivery{}, drydock.Errorf(drydock.Invalid, "the delivery can't be read: %w", err)
	}
	d := Delivery{ID: event.ID}
	var err error
	switch event.Type {
	case "git.push":
		err = d.azurePush(event.Resource)
	case "git.pullrequest.created":
		err = d.azurePull(event.Resource, "opened")
	case "git.pullrequest.updated":
		err = d.azurePull(event.Resource, "updated")
	}
	return d, err
}

func (d *Delivery) azurePush(resource json.RawMessage) error {
	var push struct {
		Updates []struct {
			Name string `json:"name"`
			Old  string `json:"oldObjectId"`
			New  string `json:"newObjectId"`
		} `json:"refUpdates"`
		By struct {
			Name string `json:"displayName"`
		} `json:"pushedBy"`
		Repository struct {
			URL string `json:"remoteUrl"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(resource, &push); err != nil {
		return drydock.Errorf(drydock.Invalid, "the push can't be read: %w", err)
	}
	for _, u := range push.Updates {
		d.Changes = append(d.Changes, drydock.SourceChange{
			Provider: string(AzureDevOps), Repository: push.Repository.URL, Actor: push.By.Name,
			Ref: u.Name, Before: someCommit(u.Old), Commit: someCommit(u.New), AllPaths: true,
		})
	}
	return nil
}

func (d *Delivery) azurePull(resource json.RawMessage, action string) error {
	var read struct {
		azurePull
		Repository struct {
			URL string `json:"remoteUrl"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(resource, &read); err != nil {
		return drydock.Errorf(drydock.Invalid, "the pull request can't be read: %w", err)
	}
	if p := read.pull(); p.Open && strings.HasPrefix(p.Base, "refs/") {
		d.Changes = append(d.Changes, p.Change(AzureDevOps, read.Repository.URL, action))
	}
	return nil
}
