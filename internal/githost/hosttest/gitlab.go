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

// gitLabForm is GitLab.
type gitLabForm struct{ *Host }

// NewGitLab starts a GitLab.
func NewGitLab(t testing.TB) *Host {
	h := &Host{Kind: githost.GitLab}
	h.start(t, &gitLabForm{h}, "/group/sub/app.git")
	return h
}

// handler implements form.
func (f *gitLabForm) handler() http.Handler {
	mux := http.NewServeMux()
	project := "/projects/group/sub/app"
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /version":                                   f.version,
		"POST " + project + "/hooks":                     f.allow([]string{"api"}, true, f.createHook),
		"GET " + project + "/hooks":                      f.allow([]string{"api", "read_api"}, true, f.listHooks),
		"DELETE " + project + "/hooks/{id}":              f.allow([]string{"api"}, true, f.deleteHook),
		"POST " + project + "/statuses/{commit}":         f.allow([]string{"api"}, false, f.setStatus),
		"GET " + project + "/merge_requests":             f.allow([]string{"api", "read_api"}, false, f.listMerges),
		"GET " + project + "/merge_requests/{iid}":       f.allow([]string{"api", "read_api"}, false, f.getMerge),
		"GET " + project + "/merge_requests/{iid}/diffs": f.allow([]string{"api", "read_api"}, false, f.diffs),
	} {
		mux.HandleFunc(pattern, h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/v4")
		if !ok {
			http.NotFound(w, r)
			return
		}
		// The path of a project is one part of the URL, with its slashes escaped.
		if rest, ok := strings.CutPrefix(path, "/projects/group%2Fsub%2Fapp"); ok {
			path = project + rest
		}
		inner := r.Clone(r.Context())
		inner.URL.Path, inner.URL.RawPath = path, ""
		mux.ServeHTTP(w, inner)
	})
}

func (f *gitLabForm) version(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	secret, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, known := f.tokens[secret]; !known {
		reply(w, http.StatusUnauthorized, message("401 Unauthorized"))
		return
	}
	reply(w, http.StatusOK, map[string]string{"version": "18.0.0", "revision": "abcdef"})
}

func (f *gitLabForm) allow(scopes []string, maintainer bool, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		secret, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		token, known := f.tokens[secret]
		switch {
		case !known:
			reply(w, http.StatusUnauthorized, message("401 Unauthorized"))
		case !token.any(scopes...):
			reply(w, http.StatusForbidden, map[string]string{"error": "insufficient_scope"})
		case maintainer && token.NotAdmin:
			reply(w, http.StatusForbidden, message("403 Forbidden"))
		default:
			next(w, r)
		}
	}
}

func (f *gitLabForm) createHook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL, Token string
		Push       bool `json:"push_events"`
		Tags       bool `json:"tag_push_events"`
		Merges     bool `json:"merge_requests_events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !isURL(in.URL) {
		reply(w, http.StatusUnprocessableEntity, message("Invalid url given"))
		return
	}
	f.lastHook++
	h := &hook{id: f.lastHook, url: in.URL, secret: in.Token}
	for event, on := range map[string]bool{"Push Hook": in.Push, "Tag Push Hook": in.Tags, "Merge Request Hook": in.Merges} {
		if on {
			h.events = append(h.events, event)
		}
	}
	f.hooks = append(f.hooks, h)
	reply(w, http.StatusCreated, map[string]any{"id": h.id, "url": h.url})
}

func (f *gitLabForm) listHooks(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, h := range page(r, f.hooks, "per_page") {
		list = append(list, map[string]any{"id": h.id, "url": h.url})
	}
	reply(w, http.StatusOK, list)
}

func (f *gitLabForm) deleteHook(w http.ResponseWriter, r *http.Request) {
	before := len(f.hooks)
	f.hooks = slices.DeleteFunc(f.hooks, func(h *hook) bool { return strconv.FormatInt(h.id, 10) == r.PathValue("id") })
	if len(f.hooks) == before {
		reply(w, http.StatusNotFound, message("404 Not found"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *gitLabForm) setStatus(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State, Name, Description string
		URL                      string `json:"target_url"`
	}
	states := map[string]drydock.CommitState{
		"pending": drydock.CommitPending, "success": drydock.CommitSuccess, "failed": drydock.CommitFailure, "canceled": drydock.CommitError,
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || states[in.State] == "" || len([]rune(in.Description)) > 255 {
		reply(w, http.StatusBadRequest, map[string]string{"error": "state does not have a valid value"})
		return
	}
	commit := r.PathValue("commit")
	f.statuses[commit] = append(f.statuses[commit], githost.Status{State: states[in.State], Context: in.Name, Text: in.Description, URL: in.URL})
	reply(w, http.StatusCreated, in)
}

func (f *gitLabForm) mergeDoc(p *githost.Pull) map[string]any {
	iid, _ := strconv.Atoi(p.Number)
	doc := map[string]any{
		"iid": iid, "state": "opened", "source_branch": p.Branch, "target_branch": strings.TrimPrefix(p.Base, "refs/heads/"),
		"sha": p.Commit, "source_project_id": 1, "target_project_id": 1, "author": map[string]string{"username": p.Actor},
	}
	if !p.Open {
		doc["state"] = "closed"
	}
	if p.Fork {
		doc["source_project_id"] = 2
	}
	return doc
}

func (f *gitLabForm) listMerges(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, p := range f.pulls {
		if p.Open || r.FormValue("state") != "opened" {
			list = append(list, f.mergeDoc(p))
		}
	}
	reply(w, http.StatusOK, page(r, list, "per_page"))
}

func (f *gitLabForm) getMerge(w http.ResponseWriter, r *http.Request) {
	if p := f.pull(r.PathValue("iid")); p != nil {
		reply(w, http.StatusOK, f.mergeDoc(p))
		return
	}
	reply(w, http.StatusNotFound, message("404 Not found"))
}

func (f *gitLabForm) diffs(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for _, name := range f.pullPaths[r.PathValue("iid")] {
		list = append(list, map[string]string{"old_path": name, "new_path": name})
	}
	reply(w, http.StatusOK, page(r, list, "per_page"))
}

// request implements form.
func (f *gitLabForm) request(h *hook, e event) *http.Request {
	name, project := "Push Hook", map[string]string{"git_http_url": f.Repository}
	var body map[string]any
	switch {
	case e.pull != nil:
		name = "Merge Request Hook"
		merge := f.mergeDoc(e.pull)
		merge["last_commit"] = map[string]string{"id": e.pull.Commit}
		merge["action"] = map[string]string{"opened": "open", "updated": "update", "edited": "update", "closed": "close"}[e.action]
		if e.action == "updated" {
			merge["oldrev"] = zeros
		}
		body = map[string]any{"object_attributes": merge, "user": map[string]string{"username": e.pull.Actor}, "project": project}
	default:
		if strings.HasPrefix(e.change.Ref, "refs/tags/") {
			name = "Tag Push Hook"
		}
		commits := []any{}
		if e.change.Commit != "" {
			commits = append(commits, map[string]any{"id": e.change.Commit, "modified": e.change.Paths})
		}
		body = map[string]any{
			"ref": e.change.Ref, "before": orZeros(e.change.Before), "after": orZeros(e.change.Commit), "commits": commits,
			"total_commits_count": len(commits), "user_username": e.change.Actor, "project": project,
		}
	}
	if !slices.Contains(h.events, name) {
		return nil
	}
	r, _ := post(h.url, body)
	r.Header.Set("X-Gitlab-Token", h.secret)
	r.Header.Set("X-Gitlab-Event", name)
	r.Header.Set("X-Gitlab-Event-UUID", e.id)
	return r
}
