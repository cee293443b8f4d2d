package profile_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock/internal/cli/profile"
)

func TestStore(t *testing.T) {
	t.Parallel()
	s := profile.Store{Dir: filepath.Join(t.TempDir(), "a", "b")}
	p, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&profile.Profile{}, p); diff != "" {
		t.Error(diff)
	}
	p.Register(profile.Cloud{Name: "drydock", ResourceManager: "https://management.drydock.test"})
	p.SignIn("drydock", profile.Account{Kind: profile.ServicePrincipal, Secret: "x"})
	p.Active = "drydock"
	if err := s.Save(p); err != nil {
		t.Fatal(err)
	}
	again, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(filepath.Join(s.Dir, "profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

func TestStoreBroken(t *testing.T) {
	t.Parallel()
	s := profile.Store{Dir: t.TempDir()}
	for _, name := range []string{"profile.json", "tokens.json"} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Load(); err == nil {
		t.Error("a broken profile is taken")
	}
	if _, ok := s.Token("a", time.Now()); ok {
		t.Error("a broken cache of tokens has one")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := profile.Store{Dir: t.TempDir()}
	now := time.Now()
	if err := s.KeepToken("a", profile.Token{Text: "x", Expires: now.Add(time.Hour)}, now); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepToken("b", profile.Token{Text: "y", Expires: now.Add(time.Minute)}, now); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Token("a", now); !ok || got.Text != "x" {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := s.Token("b", now); ok {
		t.Error("a token that is about to expire is used")
	}
	if err := s.DropTokens(); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Token("a", now); ok {
		t.Error("a dropped token is there")
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	usual := func() (string, error) { return "/home/me/.config", nil }
	none := func() (string, error) { return "", errors.New("no home") }
	tests := []struct {
		environ map[string]string
		usual   func() (string, error)
		want    string
	}{
		{map[string]string{"DRYDOCK_CONFIG_DIR": "/x", "AZURE_CONFIG_DIR": "/y"}, none, "/x"},
		{map[string]string{"AZURE_CONFIG_DIR": "/y"}, none, filepath.Join("/y", "drydock")},
		{nil, usual, filepath.Join("/home/me/.config", "drydock")},
		{nil, none, ""},
	}
	for _, test := range tests {
		got, err := profile.Folder(func(name string) string { return test.environ[name] }, test.usual)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%v: got %q, %v", test.environ, got, err)
		}
	}
}
