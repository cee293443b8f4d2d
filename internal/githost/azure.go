package githost

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// azureAPI is the version of the API: Azure DevOps Server has it from 2019 on.
const azureAPI = "api-version=5.0"

// azureHost is the REST API of Azure DevOps, as a service and as a server.
type azureHost struct {
	client           // of the organization or collection
	project, name    string
	url              string // of the repository in the API, below the client's base
	repository, inID string // ids of the repository and its project; empty until they are needed
}

// newAzure takes the URLs of Azure Repos: .../PROJECT/_git/REPOSITORY, and
// .../_git/REPOSITORY for the repository that has the name of its project; of
// ssh, v3/ORGANIZATION/PROJECT/REPOSITORY.
func newAzure(a address, token string, o Options) (Host, error) {
	form := notARepository(AzureDevOps, "https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY")
	if len(a.path) == 4 && a.path[0] == "v3" {
		a.path = []string{a.path[1], a.path[2], "_git", a.path[3]}
	}
	at := slices.Index(lower(a.path), "_git")
	if at < 0 || at+2 != len(a.path) {
		return nil, form
	}
	h := &azureHost{name: a.path[at+1]}
	h.project = h.name
	// What comes before the project is the organization, or the collection of a
	// server; at NAME.visualstudio.com there may be none.
	above := at
	inHost := strings.HasSuffix(a.host, ".visualstudio.com")
	if at > 1 || at == 1 && inHost && !strings.EqualFold(a.path[0], "DefaultCollection") {
		above, h.project = at-1, a.path[at-1]
	}
	if above == 0 && !inHost {
		return nil, form
	}
	header := http.Header{"Accept": {"application/json"}, "User-Agent": {"drydock"}}
	if token != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+token)))
	}
	h.client = client{http: o.HTTP, base: a.root(above), header: header, now: o.Now}
	h.url = joined([]string{h.project, "_apis", "git", "repositories", h.name})
	return h, nil
}

// Kind implements Host.
func (a *azureHost) Kind() Kind { return AzureDevOps }

// ids asks for the ids that subscriptions need.
func (a *azureHost) ids(ctx context.Context) error {
	if a.repository != "" {
		return nil
	}
	var r struct {
		ID      string `json:"id"`
		Project struct {
			ID string `json:"id"`
		} `json:"project"`
	}
	_, err := a.call(ctx, "reading the repository", http.MethodGet, a.url+"?"+azureAPI, nil, &r)
	a.repository, a.inID = r.ID, r.Project.ID
	return hidden(err, "the token needs the scope Code (read)")
}

// subscription is a service hook.
type subscription struct {
	ID             string            `json:"id,omitempty"`
	Publisher      string            `json:"publisherId"`
	Event          string            `json:"eventType"`
	Version        string            `json:"resourceVersion"`
	Consumer       string            `json:"consumerId"`
	Action         string            `json:"consumerActionId"`
	PublisherInput map[string]string `json:"publisherInputs"`
	ConsumerInput  map[string]string `json:"consumerInputs"`
}

// azureHint is what service hooks need.
const azureHint = "for service hooks the token needs the scope Code (read), and its owner the permission to edit subscriptions of the project"

// hookUser is the user name beside the secret in calls of service hooks.
const hookUser = "drydock"

// CreateHook implements Hooks. A service hook is for one sort of event, so that
// a webhook may be several of them.
func (a *azureHost) CreateHook(ctx context.Context, h Hook) (string, error) {
	if err := a.ids(ctx); err != nil {
		return "", err
	}
	var events []string
	if h.Push {
		events = append(events, "git.push")
	}
	if h.Pull {
		events = append(events, "git.pullrequest.created", "git.pullrequest.updated")
	}
	var made []string
	for _, event := range events {
		id, err := a.subscribe(ctx, event, h)
		if err != nil {
			// What is there already would call for nothing.
			if undo := a.DeleteHook(context.WithoutCancel(ctx), strings.Join(made, ",")); undo != nil {
				err = fmt.Errorf("%w; %w", err, undo)
			}
			return "", hidden(err, azureHint)
		}
		made = append(made, id)
	}
	return strings.Join(made, ","), nil
}

func (a *azureHost) subscribe(ctx context.Context, event string, h Hook) (string, error) {
	s := subscription{
		Publisher: "tfs", Event: event, Version: "1.0", Consumer: "webHooks", Action: "httpRequest",
		PublisherInput: map[string]string{"projectId": a.inID, "repository": a.repository},
		ConsumerInput: map[string]string{
			"url": h.URL, "basicAuthUsername": hookUser, "basicAuthPassword": h.Secret,
			"messagesToSend": "none", "detailedMessagesToSend": "none",
		},
	}
	if event == "git.pullrequest.updated" {
		s.PublisherInput["notificationType"] = "PushNotification"
	}
	var made subscription
	_, err := a.call(ctx, "making the service hook", http.MethodPost, "/_apis/hooks/subscriptions?"+azureAPI, s, &made)
	return made.ID, err
}

// FindHooks implements Hooks.
func (a *azureHost) FindHooks(ctx context.Context, hookURL string) ([]string, error) {
	var list struct{ Value []subscription }
	_, err := a.call(ctx, "listing the service hooks", http.MethodGet,
		"/_apis/hooks/subscriptions?publisherId=tfs&consumerId=webHooks&consumerActionId=httpRequest&"+azureAPI, nil, &list)
	var ids []string
	for _, s := range list.Value {
		if s.ConsumerInput["url"] == hookURL {
			ids = append(ids, s.ID)
		}
	}
	return ids, hidden(err, azureHint)
}

// DeleteHook implements Hooks.
func (a *azureHost) DeleteHook(ctx context.Context, id string) error {
	for one := range strings.SplitSeq(id, ",") {
		if one == "" {
			continue
		}
		_, err := a.call(ctx, "removing the service hook", http.MethodDelete,
			"/_apis/hooks/subscriptions/"+url.PathEscape(one)+"?"+azureAPI, nil, nil)
		if gone(err) != nil {
			return err
		}
	}
	return nil
}

// azureStates are the host's words for what became of commits.
var azureStates = map[drydock.CommitState]string{
	drydock.CommitPending: "pending", drydock.CommitSuccess: "succeeded",
	drydock.CommitFailure: "failed", drydock.CommitError: "error",
}

// SetStatus implements Statuses.
func (a *azureHost) SetStatus(ctx context.Context, commit string, s Status) error {
	genre, name, ok := strings.Cut(s.Context, "/")
	if !ok {
		genre, name = "", s.Context
	}
	body := map[string]any{
		"state": azureStates[s.State], "description": s.Text, "context": map[string]string{"genre": genre, "name": name},
	}
	if s.URL != "" {
		body["targetUrl"] = s.URL
	}
	// Those of commits are not shown with pull requests.
	path := "/commits/" + url.PathEscape(commit)
	if s.Pull != "" {
		path = "/pullRequests/" + url.PathEscape(s.Pull)
	}
	_, err := a.call(ctx, "setting the commit status", http.MethodPost, a.url+path+"/statuses?"+azureAPI, body, nil)
	return hidden(err, "the token needs the scope Code (status) beside Code (read)")
}

// azurePull is a pull request in the API and in service hooks.
type azurePull struct {
	ID        int64  `json:"pullRequestId"`
	Status    string `json:"status"`
	Source    string `json:"sourceRefName"`
	Target    string `json:"targetRefName"`
	CreatedBy struct {
		Name string `json:"displayName"`
	} `json:"createdBy"`
	Commit struct {
		ID string `json:"commitId"`
	} `json:"lastMergeSourceCommit"`
	Fork *struct{} `json:"forkSource"`
}

func (p azurePull) pull() Pull {
	return Pull{
		Number: number(p.ID), Open: p.Status == "active", Base: p.Target,
		Branch: strings.TrimPrefix(p.Source, "refs/heads/"), Commit: p.Commit.ID,
		// Of forks there is no other ref than that of the merge, whose parent it is.
		Ref: "refs/pull/" + number(p.ID) + "/merge", Fork: p.Fork != nil, Actor: p.CreatedBy.Name,
	}
}

// Pull implements Pulls.
func (a *azureHost) Pull(ctx context.Context, id string) (Pull, error) {
	var p azurePull
	_, err := a.call(ctx, "reading pull request "+id, http.MethodGet, a.url+"/pullrequests/"+url.PathEscape(id)+"?"+azureAPI, nil, &p)
	return p.pull(), err
}

// Pulls implements Pulls.
func (a *azureHost) Pulls(ctx context.Context) ([]Pull, error) {
	var all []Pull
	whole, err := pages(maxPages, func(page int) (bool, error) {
		var list struct{ Value []azurePull }
		path := fmt.Sprintf("%s/pullrequests?searchCriteria.status=active&$top=%d&$skip=%d&%s", a.url, perPage, (page-1)*perPage, azureAPI)
		_, err := a.call(ctx, "listing the pull requests", http.MethodGet, path, nil, &list)
		for _, p := range list.Value {
			all = append(all, p.pull())
		}
		return len(list.Value) > 0, err
	})
	if err == nil && !whole {
		err = tooManyPulls()
	}
	return all, err
}

// PullPaths implements Pulls. The newest iteration has all that the pull request
// changes.
func (a *azureHost) PullPaths(ctx context.Context, id string) ([]string, bool, error) {
	doing, at := "reading what pull request "+id+" changes", a.url+"/pullRequests/"+url.PathEscape(id)+"/iterations"
	var iterations struct {
		Value []struct {
			ID int64 `json:"id"`
		}
	}
	if _, err := a.call(ctx, doing, http.MethodGet, at+"?"+azureAPI, nil, &iterations); err != nil {
		return nil, false, err
	}
	if len(iterations.Value) == 0 {
		return nil, false, nil
	}
	newest := iterations.Value[len(iterations.Value)-1].ID
	var paths []string
	whole, err := pages(maxPages, func(page int) (bool, error) {
		var list struct {
			Entries []struct {
				Item struct {
					Path string `json:"path"`
				} `json:"item"`
				Original string `json:"originalPath"`
			} `json:"changeEntries"`
		}
		path := fmt.Sprintf("%s/%d/changes?$top=%d&$skip=%d&%s", at, newest, perPage, (page-1)*perPage, azureAPI)
		_, err := a.call(ctx, doing, http.MethodGet, path, nil, &list)
		for _, e := range list.Entries {
			for _, p := range []string{e.Item.Path, e.Original} {
				if p != "" {
					paths = append(paths, strings.TrimPrefix(p, "/"))
				}
			}
		}
		return len(list.Entries) > 0, err
	})
	return paths, whole, err
}
