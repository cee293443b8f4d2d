package gitea

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
)

// Host is a repository of a server as the suite of git hosts needs it.
type Host struct {
	owner, other *User
	url          string
	path         string // of the repository in the API
	files        int    // written so far
	branches     map[string]*User
	pulls        map[string]string // branch by number
}

var _ hosttest.Real = (*Host)(nil)

// Host makes a repository of its own.
func (s *Server) Host(name string) *Host {
	s.t.Helper()
	owner, other := s.User(name), s.User(name+"-other")
	h := &Host{owner: owner, other: other, path: "/repos/" + owner.Name + "/app", branches: map[string]*User{}, pulls: map[string]string{}}
	h.url = owner.Repository("app", false)
	return h
}

// Address implements hosttest.Real.
func (h *Host) Address() (string, *http.Client) { return h.url, http.DefaultClient }

// Rights implements hosttest.Real.
func (h *Host) Rights() []hosttest.Rights {
	h.files++ // tokens have names of their own
	token := func(u *User, scopes ...string) string {
		return u.Token(fmt.Sprint(scopes, h.files), scopes...)
	}
	return []hosttest.Rights{
		{Name: "full", Token: token(h.owner, "write:repository"), Hooks: true, Statuses: true, Pulls: true},
		{Name: "less", Token: token(h.owner, "read:repository"), Pulls: true},
		{Name: "another user's", Token: token(h.other, "write:repository"), Pulls: true},
		{Name: "wrong", Token: strings.Repeat("0", 40)},
	}
}

// write commits files to a branch as a user, to a new one if it is none yet.
func (h *Host) write(u *User, repository, branch, from string, files []string) string {
	u.s.t.Helper()
	h.files++
	var changes []any
	for _, name := range append(files, fmt.Sprint("file-", h.files)) {
		changes = append(changes, map[string]string{
			"operation": "upload", "path": name, "content": base64.StdEncoding.EncodeToString(fmt.Append(nil, h.files)),
		})
	}
	in := map[string]any{"branch": branch, "files": changes, "message": "change"}
	if from != "" {
		in["branch"], in["new_branch"] = from, branch
	}
	var out struct {
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	u.must(http.MethodPost, repository+"/contents", in, &out)
	return out.Commit.SHA
}

// Push implements hosttest.Real.
func (h *Host) Push(ref string, files ...string) (before, after string) {
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		var made struct {
			Commit struct {
				SHA string `json:"sha"`
			} `json:"commit"`
		}
		h.owner.must(http.MethodPost, h.path+"/tags", map[string]string{"tag_name": tag, "target": "main"}, &made)
		return "", made.Commit.SHA
	}
	branch := strings.TrimPrefix(ref, "refs/heads/")
	var there struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	if err := h.owner.Call(http.MethodGet, h.path+"/branches/"+branch, nil, &there); err == nil {
		return there.Commit.ID, h.write(h.owner, h.path, branch, "", files)
	}
	return "", h.write(h.owner, h.path, branch, "main", files)
}

// OpenPull implements hosttest.Real.
func (h *Host) OpenPull(branch string, fork bool, files ...string) githost.Pull {
	author, repository, head := h.owner, h.path, branch
	if fork {
		author, repository, head = h.other, "/repos/"+h.other.Name+"/app", h.other.Name+":"+branch
		author.must(http.MethodPost, h.path+"/forks", map[string]string{}, nil)
	}
	commit := h.write(author, repository, branch, "main", files)
	var made struct {
		Number int64 `json:"number"`
	}
	author.must(http.MethodPost, h.path+"/pulls", map[string]string{"title": "change", "base": "main", "head": head}, &made)
	number := strconv.FormatInt(made.Number, 10)
	h.pulls[number], h.branches[branch] = branch, author
	return githost.Pull{Number: number, Open: true, Base: "refs/heads/main", Branch: branch, Commit: commit, Fork: fork, Actor: author.Name}
}

// UpdatePull implements hosttest.Real.
func (h *Host) UpdatePull(number string) githost.Pull {
	branch := h.pulls[number]
	author := h.branches[branch]
	return githost.Pull{Number: number, Open: true, Commit: h.write(author, "/repos/"+author.Name+"/app", branch, "", nil)}
}

// EditPull implements hosttest.Real.
func (h *Host) EditPull(number string) githost.Pull {
	h.owner.must(http.MethodPatch, h.path+"/pulls/"+number, map[string]string{"title": "other words"}, nil)
	return githost.Pull{Number: number}
}

// ClosePull implements hosttest.Real.
func (h *Host) ClosePull(number string) githost.Pull {
	h.owner.must(http.MethodPatch, h.path+"/pulls/"+number, map[string]string{"state": "closed"}, nil)
	return githost.Pull{Number: number}
}

// Statuses implements hosttest.Real.
func (h *Host) Statuses(commit string) []githost.Status { return h.owner.Statuses(h.path, commit) }

// Statuses returns what was said of a commit, the oldest first. The repository is
// /repos/OWNER/NAME.
func (u *User) Statuses(repository, commit string) []githost.Status {
	u.s.t.Helper()
	var list []struct {
		Status, Context, Description string
		URL                          string `json:"target_url"`
	}
	u.must(http.MethodGet, repository+"/commits/"+commit+"/statuses?sort=oldest", nil, &list)
	var said []githost.Status
	for _, s := range list {
		said = append(said, githost.Status{State: drydock.CommitState(s.Status), Context: s.Context, Text: s.Description, URL: s.URL})
	}
	return said
}
