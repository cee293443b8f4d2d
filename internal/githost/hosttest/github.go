package hosttest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

// gitHubForm is GitHub, and Gitea whose API is made after it.
type gitHubForm struct {
	*Host
	gitea bool
	api   string // folder of the API
}

// NewGitHub starts a GitHub Enterprise.
func NewGitHub(t testing.TB) *Host {
	h := &Host{Kind: githost.GitHub}
	h.start(t, &gitHubForm{Host: h, api: "/api/v3"}, "/octo/app.git")
	return h
}

// NewGitHubCom starts what is known as github.com.
func NewGitHubCom(t testing.TB) *Host {
	h := &Host{Kind: githost.GitHub}
	h.start(t, &gitHubForm{Host: h}, "/octo/app.git")
	h.Repository = "https://github.com/octo/app.git"
	return h
}

// NewGitea starts a Gitea.
func NewGitea(t testing.TB) *Host {
	h := &Host{Kind: githost.Gitea}
	h.start(t, &gitHubForm{Host: h, gitea: true, api: "/api/v1"}, "/octo/app.git")
	return h
}

// handler implements form.
func (f *gitHubForm) handler() http.Handler {
	mux := http.NewServeMux()
	repo := f.api + "/repos/octo/app"
	mux.HandleFunc("GET /api/v3/meta", func(w http.ResponseWriter, _ *http.Request) {
		if !f.gitea {
			w.Header().Set("X-GitHub-Enterprise-Version", "3.14.0")
			reply(w, http.StatusOK, map[string]any{"installed_version": "3.14.0"})
			return
		}
		reply(w, http.StatusNotFound, nil)
	})
	if f.gitea {
		mux.HandleFunc("GET /api/v1/version", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusOK, map[string]string{"version": "1.26.0"})
		})
	}
	hooks, statuses := []string{"admin:repo_hook", "write:repo_hook", "repo"}, []string{"repo:status", "repo", "public_repo"}
	if f.gitea {
		hooks, statuses = []string{"write:repository"}, []string{"write:repository"}
	}
	mux.HandleFunc("POST "+repo+"/hooks", f.allow(hooks, true, f.createHook))
	mux.HandleFunc("GET "+repo+"/hooks", f.allow(append(hooks, "read:repo_hook"), true, f.listHooks))
	mux.HandleFunc("DELETE "+repo+"/hooks/{id}", f.allow(hooks, true, f.deleteHook))
	mux.HandleFunc("POST "+repo+"/statuses/{commit}", f.allow(statuses, false, f.setStatus))
	mux.HandleFunc("GET "+repo+"/pulls", f.allow(nil, false, f.listPulls))
	mux.HandleFunc("GET "+repo+"/pulls/{number}", f.allow(nil, false, f.getPull))
	mux.HandleFunc("GET "+repo+"/pulls/{number}/files", f.allow(nil, false, f.listFiles))
	return mux
}

// allow checks the token of a request: that it has one of the scopes, and that
// its owner is an admin if that is needed. Nothing of a private repository is
// told to those who have no right to it.
func (f *gitHubForm) allow(scopes []string, admin bool, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		kind, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token, known := f.tokens[secret]
		switch {
		case r.Header.Get("User-Agent") == "" || strings.HasPrefix(r.Header.Get("User-Agent"), "Go-http"):
			reply(w, http.StatusForbidden, message("Request forbidden by administrative rules. Please make sure your request has a User-Agent header"))
		case secret != "" && (!known || kind != "token" && kind != "Bearer"):
			reply(w, http.StatusUnauthorized, message("Bad credentials"))
		case f.Private && !token.any("repo", "write:repository", "read:repository"):
			reply(w, http.StatusNotFound, message("Not Found"))
		case scopes == nil && (!f.gitea || secret == "" || token.any("write:repository", "read:repository")):
			next(w, r)
		case secret == "":
			reply(w, http.StatusUnauthorized, message("Requires authentication"))
		case !token.any(scopes...) && f.gitea:
			reply(w, http.StatusForbidden, message("token does not have at least one of required scope(s): [write:repository]"))
		case !token.any(scopes...), admin && token.NotAdmin:
			w.Header().Set("X-OAuth-Scopes", strings.Join(token.Scopes, ", "))
			w.Header().Set("X-Accepted-OAuth-Scopes", strings.Join(scopes, ", "))
			reply(w, http.StatusNotFound, message("Not Found"))
		default:
			next(w, r)
		}
	}
}

func message(text string) map[string]string { return map[string]string{"message": text} }

var gitHubEvents = []string{"push", "pull_request", "pull_request_only", "pull_request_sync"}

func (f *gitHubForm) createHook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name, Type string
		Events     []string
		Config     struct {
			URL         string
			ContentType string `json:"content_type"`
			Secret      string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		reply(w, http.StatusBadRequest, message("Problems parsing JSON"))
		return
	}
	bad := slices.ContainsFunc(in.Events, func(e string) bool { return !slices.Contains(gitHubEvents, e) })
	if bad || len(in.Events) == 0 || !isURL(in.Config.URL) || in.Config.ContentType != "json" ||
		!f.gitea && in.Name != "web" || f.gitea && in.Type != "gitea" {
		reply(w, http.StatusUnprocessableEntity, message("Validation Failed"))
		return
	}
	count := 0
	for _, h := range f.hooks {
		if slices.Equal(h.events, in.Events) {
			count++
		}
		if !f.gitea && h.url == in.Config.URL && slices.Equal(h.events, in.Events) {
			reply(w, http.StatusUnprocessableEntity, map[string]any{
				"message": "Validation Failed", "errors": []any{message("Hook already exists on this repository")},
			})
			return
		}
	}
	if !f.gitea && count >= 20 {
		reply(w, http.StatusUnprocessableEntity, map[string]any{
			"message": "Validation Failed", "errors": []any{message(`The "push" event cannot have more than 20 hooks`)},
		})
		return
	}
	f.lastHook++
	h := &hook{id: f.lastHook, url: in.Config.URL, secret: in.Config.Secret, events: in.Events}
	f.hooks = append(f.hooks, h)
	if !f.gitea {
		f.call(f.signed(h, "ping", "ping-"+strconv.FormatInt(h.id, 10), message("Keep it logically awesome.")))
	}
	reply(w, http.StatusCreated, f.hookDoc(h))
}

func (f *gitHubForm) hookDoc(h *hook) any {
	return map[string]any{
		"id": h.id, "active": true, "events": h.events, "name": "web",
		"config": map[string]string{"url": h.url, "content_type": "json", "secret": "********"},
	}
}

func (f *gitHubForm) listHooks(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, h := range page(r, f.hooks, f.sizeKey()) {
		list = append(list, f.hookDoc(h))
	}
	reply(w, http.StatusOK, list)
}

func (f *gitHubForm) sizeKey() string {
	if f.gitea {
		return "limit"
	}
	return "per_page"
}

func (f *gitHubForm) deleteHook(w http.ResponseWriter, r *http.Request) {
	before := len(f.hooks)
	f.hooks = slices.DeleteFunc(f.hooks, func(h *hook) bool { return strconv.FormatInt(h.id, 10) == r.PathValue("id") })
	if len(f.hooks) == before {
		reply(w, http.StatusNotFound, message("Not Found"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *gitHubForm) setStatus(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State, Context, Description string
		URL                         string `json:"target_url"`
	}
	states := []string{"error", "failure", "pending", "success"}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !slices.Contains(states, in.State) ||
		len([]rune(in.Description)) > 140 || in.URL != "" && !isURL(in.URL) {
		reply(w, http.StatusUnprocessableEntity, message("Validation Failed"))
		return
	}
	commit := r.PathValue("commit")
	f.statuses[commit] = append(f.statuses[commit], githost.Status{
		State: drydock.CommitState(in.State), Context: in.Context, Text: in.Description, URL: in.URL,
	})
	reply(w, http.StatusCreated, map[string]string{"state": in.State})
}

func (f *gitHubForm) pullDoc(p *githost.Pull) map[string]any {
	number, _ := strconv.Atoi(p.Number)
	state := "closed"
	if p.Open {
		state = "open"
	}
	head := map[string]any{"ref": p.Branch, "sha": p.Commit, "repo": map[string]any{"id": 1}}
	if p.Fork {
		head["repo"] = map[string]any{"id": 2}
	}
	return map[string]any{
		"number": number, "state": state, "user": map[string]string{"login": p.Actor}, "head": head,
		"base": map[string]any{"ref": strings.TrimPrefix(p.Base, "refs/heads/"), "sha": zeros, "repo": map[string]any{"id": 1}},
	}
}

func (f *gitHubForm) listPulls(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, p := range f.pulls {
		if p.Open || r.FormValue("state") != "open" {
			list = append(list, f.pullDoc(p))
		}
	}
	reply(w, http.StatusOK, page(r, list, f.sizeKey()))
}

func (f *gitHubForm) getPull(w http.ResponseWriter, r *http.Request) {
	if p := f.pull(r.PathValue("number")); p != nil {
		reply(w, http.StatusOK, f.pullDoc(p))
		return
	}
	reply(w, http.StatusNotFound, message("Not Found"))
}

func (f *gitHubForm) listFiles(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, name := range f.pullPaths[r.PathValue("number")] {
		list = append(list, map[string]string{"filename": name, "status": "modified"})
	}
	reply(w, http.StatusOK, page(r, list, f.sizeKey()))
}

// request implements form.
func (f *gitHubForm) request(h *hook, e event) *http.Request {
	repository := map[string]any{"clone_url": f.Repository}
	if e.pull == nil {
		if !slices.Contains(h.events, "push") {
			return nil
		}
		commits := []any{}
		if e.change.Commit != "" {
			commits = append(commits, map[string]any{"id": e.change.Commit, "modified": e.change.Paths})
		}
		return f.signed(h, "push", e.id, map[string]any{
			"ref": e.change.Ref, "before": orZeros(e.change.Before), "after": orZeros(e.change.Commit), "commits": commits,
			"forced": false, "repository": repository, "sender": map[string]string{"login": e.change.Actor},
		})
	}
	wanted, action := "pull_request", e.action
	switch {
	case f.gitea && action == "updated":
		wanted, action = "pull_request_sync", "synchronized"
	case f.gitea:
		wanted = "pull_request_only"
	case action == "updated":
		action = "synchronize"
	}
	if !slices.Contains(h.events, wanted) {
		return nil
	}
	number, _ := strconv.Atoi(e.pull.Number)
	return f.signed(h, "pull_request", e.id, map[string]any{
		"action": action, "number": number, "pull_request": f.pullDoc(e.pull), "repository": repository,
		"sender": map[string]string{"login": e.pull.Actor},
	})
}

func (f *gitHubForm) signed(h *hook, event, id string, body any) *http.Request {
	r, text := post(h.url, body)
	mac := hmac.New(sha256.New, []byte(h.secret))
	mac.Write(text)
	sum := hex.EncodeToString(mac.Sum(nil))
	r.Header.Set("X-Hub-Signature-256", "sha256="+sum)
	name := "GitHub"
	if f.gitea {
		name = "Gitea"
		r.Header.Set("X-Gitea-Signature", sum)
	}
	r.Header.Set("X-"+name+"-Event", event)
	r.Header.Set("X-"+name+"-Delivery", id)
	return r
}
