package gitea

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// User is a user of a server.
type User struct {
	Name     string
	Password string

	s *Server
}

// User makes a user.
func (s *Server) User(name string) *User {
	s.t.Helper()
	u := &User{Name: name, Password: "pass-word-of-" + name, s: s}
	admin := &User{Name: s.user, Password: s.password, s: s}
	admin.must(http.MethodPost, "/admin/users", map[string]any{
		"username": name, "password": u.Password, "email": name + "@git.example", "must_change_password": false,
	}, nil)
	return u
}

// Token makes a personal access token with some scopes, as write:repository.
func (u *User) Token(name string, scopes ...string) string {
	u.s.t.Helper()
	var made struct {
		SHA1 string `json:"sha1"`
	}
	u.must(http.MethodPost, "/users/"+u.Name+"/tokens", map[string]any{"name": name, "scopes": scopes}, &made)
	return made.SHA1
}

// Repository makes a repository with a first commit on main, and returns its URL.
func (u *User) Repository(name string, private bool) string {
	u.s.t.Helper()
	u.must(http.MethodPost, "/user/repos", map[string]any{
		"name": name, "private": private, "auto_init": true, "default_branch": "main",
	}, nil)
	return u.s.URL + "/" + u.Name + "/" + name + ".git"
}

// must calls the API as the user, and decodes the answer into out unless that is
// nil.
func (u *User) must(method, path string, in, out any) {
	u.s.t.Helper()
	if err := u.Call(method, path, in, out); err != nil {
		u.s.t.Fatal(err)
	}
}

// Call calls the API as the user, and decodes the answer into out unless that is
// nil. The path is one below /api/v1.
func (u *User) Call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(u.s.t.Context(), method, u.s.URL+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.SetBasicAuth(u.Name, u.Password)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
