package hosttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// azureForm is Azure DevOps.
type azureForm struct{ *Host }

// The ids of the project and its repository.
const (
	azureProject    = "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c"
	azureRepository = "278d5cd2-584d-4b63-824a-2ba458937249"
)

// NewAzure starts an Azure DevOps that is known as dev.azure.com.
func NewAzure(t testing.TB) *Host {
	h := &Host{Kind: githost.AzureDevOps}
	h.start(t, &azureForm{h}, "")
	h.Repository = "https://octo@dev.azure.com/octo/My%20Project/_git/app"
	return h
}

// NewAzureServer starts an Azure DevOps Server.
func NewAzureServer(t testing.TB) *Host {
	h := &Host{Kind: githost.AzureDevOps}
	h.start(t, &azureForm{h}, "/octo/My%20Project/_git/app")
	return h
}

// handler implements form.
func (f *azureForm) handler() http.Handler {
	mux := http.NewServeMux()
	repo := "/octo/My Project/_apis/git/repositories/app"
	hooks := []string{"vso.work", "vso.build", "vso.code", "vso.code_write"}
	code, statuses := []string{"vso.code", "vso.code_write"}, []string{"vso.code_write", "vso.code_status"}
	for pattern, h := range map[string]http.HandlerFunc{
		"POST /octo/_apis/hooks/subscriptions":        f.allow(hooks, true, f.subscribe),
		"GET /octo/_apis/hooks/subscriptions":         f.allow(hooks, false, f.subscriptions),
		"DELETE /octo/_apis/hooks/subscriptions/{id}": f.allow(hooks, true, f.unsubscribe),
		"GET " + repo:                                             f.allow(code, false, f.repository),
		"GET " + repo + "/pullrequests":                           f.allow(code, false, f.listPulls),
		"GET " + repo + "/pullrequests/{id}":                      f.allow(code, false, f.getPull),
		"GET " + repo + "/pullRequests/{id}/iterations":           f.allow(code, false, f.iterations),
		"GET " + repo + "/pullRequests/{id}/iterations/2/changes": f.allow(code, false, f.changes),
		"POST " + repo + "/commits/{commit}/statuses":             f.allow(statuses, false, f.setStatus),
		"POST " + repo + "/pullRequests/{id}/statuses":            f.allow(statuses, false, f.setPullStatus),
	} {
		mux.HandleFunc(pattern, h)
	}
	return mux
}

// allow checks the token of a request, and that its owner may edit subscriptions
// if that is needed.
func (f *azureForm) allow(scopes []string, edit bool, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, secret, _ := r.BasicAuth()
		token, known := f.tokens[secret]
		switch {
		case !known: // it answers with a page to sign in
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNonAuthoritativeInfo)
			_, _ = w.Write([]byte("<html>Sign in</html>"))
		case r.FormValue("api-version") == "":
			reply(w, http.StatusBadRequest, message("No api-version was supplied"))
		case !token.any(scopes...):
			reply(w, http.StatusUnauthorized, nil)
		case edit && token.NotAdmin:
			reply(w, http.StatusForbidden, map[string]any{
				"message": "Access denied: the user needs the following permission(s) to perform this action: Edit subscriptions", "typeKey": "AccessCheckException",
			})
		default:
			next(w, r)
		}
	}
}

// azureSubscription is a service hook.
type azureSubscription struct {
	ID        string            `json:"id"`
	Publisher string            `json:"publisherId"`
	Event     string            `json:"eventType"`
	Consumer  string            `json:"consumerId"`
	Action    string            `json:"consumerActionId"`
	Of        map[string]string `json:"publisherInputs"`
	To        map[string]string `json:"consumerInputs"`
}

var azureEvents = []string{"git.push", "git.pullrequest.created", "git.pullrequest.updated"}

func (f *azureForm) subscribe(w http.ResponseWriter, r *http.Request) {
	var s azureSubscription
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.Publisher != "tfs" || s.Consumer != "webHooks" ||
		s.Action != "httpRequest" || !slices.Contains(azureEvents, s.Event) || !isURL(s.To["url"]) ||
		s.Of["projectId"] != azureProject || s.Of["repository"] != azureRepository {
		reply(w, http.StatusBadRequest, message("The subscription is not valid"))
		return
	}
	event := s.Event
	if kind := s.Of["notificationType"]; kind != "" {
		event += " " + kind
	}
	f.lastHook++
	f.hooks = append(f.hooks, &hook{
		id: f.lastHook, url: s.To["url"], secret: s.To["basicAuthUsername"] + ":" + s.To["basicAuthPassword"], events: []string{event},
	})
	s.ID = azureID(f.lastHook)
	s.To["basicAuthPassword"] = "********"
	reply(w, http.StatusOK, s)
}

func azureID(n int64) string {
	return "fd672255-8b6b-4769-9260-" + strconv.FormatInt(100000000000+n, 10)
}

func (f *azureForm) subscriptions(w http.ResponseWriter, r *http.Request) {
	list := []azureSubscription{}
	if r.FormValue("consumerId") == "webHooks" && r.FormValue("publisherId") == "tfs" {
		for _, h := range f.hooks {
			list = append(list, azureSubscription{ID: azureID(h.id), To: map[string]string{"url": h.url}})
		}
	}
	reply(w, http.StatusOK, map[string]any{"count": len(list), "value": list})
}

func (f *azureForm) unsubscribe(w http.ResponseWriter, r *http.Request) {
	before := len(f.hooks)
	f.hooks = slices.DeleteFunc(f.hooks, func(h *hook) bool { return azureID(h.id) == r.PathValue("id") })
	if len(f.hooks) == before {
		reply(w, http.StatusNotFound, message("The subscription does not exist"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *azureForm) repository(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, f.repositoryDoc())
}

func (f *azureForm) repositoryDoc() any {
	return map[string]any{"id": azureRepository, "name": "app", "remoteUrl": f.Repository, "project": map[string]string{"id": azureProject}}
}

func (f *azureForm) pullDoc(p *githost.Pull) map[string]any {
	id, _ := strconv.Atoi(p.Number)
	doc := map[string]any{
		"pullRequestId": id, "status": "active", "sourceRefName": "refs/heads/" + p.Branch, "targetRefName": p.Base,
		"createdBy": map[string]string{"displayName": p.Actor}, "lastMergeSourceCommit": map[string]string{"commitId": p.Commit},
		"repository": f.repositoryDoc(),
	}
	if !p.Open {
		doc["status"] = "abandoned"
	}
	if p.Fork {
		doc["forkSource"] = map[string]any{"repository": map[string]string{"id": "another"}}
	}
	return doc
}

func (f *azureForm) listPulls(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, p := range f.pulls {
		if p.Open || r.FormValue("searchCriteria.status") != "active" {
			list = append(list, f.pullDoc(p))
		}
	}
	reply(w, http.StatusOK, map[string]any{"value": skip(r, list)})
}

// skip returns the part of a list that a request asks for.
func skip(r *http.Request, list []any) []any {
	top, _ := strconv.Atoi(r.FormValue("$top"))
	from, _ := strconv.Atoi(r.FormValue("$skip"))
	from = min(from, len(list))
	return list[from:min(from+top, len(list))]
}

func (f *azureForm) getPull(w http.ResponseWriter, r *http.Request) {
	if p := f.pull(r.PathValue("id")); p != nil {
		reply(w, http.StatusOK, f.pullDoc(p))
		return
	}
	reply(w, http.StatusNotFound, message("TF401180: The requested pull request was not found."))
}

func (f *azureForm) iterations(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"value": []any{map[string]int{"id": 1}, map[string]int{"id": 2}}})
}

func (f *azureForm) changes(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, name := range f.pullPaths[r.PathValue("id")] {
		list = append(list, map[string]any{"changeType": "edit", "item": map[string]string{"path": "/" + name}})
	}
	reply(w, http.StatusOK, map[string]any{"changeEntries": skip(r, list)})
}

func (f *azureForm) setStatus(w http.ResponseWriter, r *http.Request) {
	f.addStatus(w, r, r.PathValue("commit"))
}

func (f *azureForm) setPullStatus(w http.ResponseWriter, r *http.Request) {
	p := f.pull(r.PathValue("id"))
	if p == nil {
		reply(w, http.StatusNotFound, message("TF401180: The requested pull request was not found."))
		return
	}
	f.addStatus(w, r, p.Commit)
}

func (f *azureForm) addStatus(w http.ResponseWriter, r *http.Request, commit string) {
	var in struct {
		State, Description, TargetURL string
		Context                       struct{ Genre, Name string }
	}
	states := map[string]drydock.CommitState{
		"pending": drydock.CommitPending, "succeeded": drydock.CommitSuccess, "failed": drydock.CommitFailure, "error": drydock.CommitError,
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || states[in.State] == "" || in.Context.Name == "" {
		reply(w, http.StatusBadRequest, message("The status is not valid"))
		return
	}
	f.statuses[commit] = append(f.statuses[commit], githost.Status{
		State: states[in.State], Context: in.Context.Genre + "/" + in.Context.Name, Text: in.Description, URL: in.TargetURL,
	})
	reply(w, http.StatusCreated, in)
}

// request implements form.
func (f *azureForm) request(h *hook, e event) *http.Request {
	kind := map[string]string{"": "git.push", "opened": "git.pullrequest.created"}[e.action]
	switch e.action {
	case "updated":
		kind = "git.pullrequest.updated PushNotification"
	case "edited", "closed":
		kind = "git.pullrequest.updated StatusUpdateNotification"
	}
	wanted := h.events[0]
	if kind != wanted && !strings.HasPrefix(kind, wanted+" ") {
		return nil
	}
	var resource any
	if e.pull != nil {
		resource = f.pullDoc(e.pull)
	} else {
		resource = map[string]any{
			"refUpdates": []any{map[string]string{
				"name": e.change.Ref, "oldObjectId": orZeros(e.change.Before), "newObjectId": orZeros(e.change.Commit),
			}},
			"pushedBy": map[string]string{"displayName": e.change.Actor}, "repository": f.repositoryDoc(),
		}
	}
	event, _, _ := strings.Cut(kind, " ")
	r, _ := post(h.url, map[string]any{"id": e.id, "eventType": event, "publisherId": "tfs", "resource": resource})
	user, password, _ := strings.Cut(h.secret, ":")
	r.SetBasicAuth(user, password)
	return r
}
