package source_test

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onlyGit returns a folder with git and no git-lfs.
func onlyGit(t *testing.T) string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err, "(make setup installs it)")
	}
	bin := t.TempDir()
	if err := os.Symlink(git, filepath.Join(bin, "git")); err != nil {
		t.Fatal(err)
	}
	return bin
}

const largeBody = "large, as far as tests go\n"

// largeRepo returns a repository with a.bin in Git LFS, and the large file's id.
func largeRepo(t *testing.T) (r *repo, oid string) {
	t.Helper()
	if _, err := exec.LookPath("git-lfs"); err != nil {
		t.Fatal(err, "(make setup installs it)")
	}
	r = newRepo(t)
	oid = fmt.Sprintf("%x", sha256.Sum256([]byte(largeBody)))
	write(t, filepath.Join(r.dir, ".gitattributes"), []byte("*.bin filter=lfs -text\n"))
	r.commit("a.bin", fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(largeBody)))
	write(t, filepath.Join(r.dir, ".git", "lfs", "objects", oid[:2], oid[2:4], oid), []byte(largeBody))
	return r, oid
}

// wantLarge fetches a repository and looks whether a.bin is whole.
func (f *fetcher) wantLarge(spec, name string) {
	f.t.Helper()
	got := f.fetch(spec)
	if data, err := os.ReadFile(filepath.Join(got.Dir, name)); string(data) != largeBody {
		f.t.Errorf("%s of %s is %q: %v", name, spec, data, err)
	}
	if f.logged("WARNING") {
		f.t.Errorf("%q", f.log)
	}
}

func TestLargeFiles(t *testing.T) {
	t.Parallel()
	r, _ := largeRepo(t)
	f := newFetcher(t)
	f.wantLarge(r.url(), "a.bin")
	f.enclose()
	f.wantLarge(r.url(), "a.bin")
	outer := newRepo(t)
	outer.commit("a", "x")
	outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", r.url(), "sub")
	outer.git("commit", "--quiet", "--message", "submodule")
	f.wantLarge(outer.url(), "sub/a.bin")
}

// A git host of this machine has its large files beside its repositories, and
// the password for both. git-lfs asks no proxy for such a host.
func TestLargeFilesOverHTTP(t *testing.T) {
	t.Parallel()
	r, oid := largeRepo(t)
	plain := httptest.NewServer(lfsHost(t, r, oid))
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(lfsHost(t, r, oid))
	t.Cleanup(secure.Close)
	for _, s := range []*httptest.Server{plain, secure} {
		address := s.URL + "/" + filepath.Base(r.dir)
		withUser := strings.Replace(address, "://", "://user:s3cret@", 1)
		for _, enclosed := range []bool{false, true} {
			f := newFetcher(t)
			if s == secure {
				f.CAs = map[string][]byte{"": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}
			}
			if enclosed {
				f.enclose(thisMachine)
			}
			f.wantLarge(withUser, "a.bin")
		}
	}
	closed := newFetcher(t)
	closed.enclose()
	closed.wantDenied(strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)+"/x.git", "")
}

// lfsHost has a repository and its one large file, for whom has the password.
func lfsHost(t *testing.T, r *repo, oid string) http.Handler {
	t.Helper()
	at, err := url.Parse(r.serve("s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	repository := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: at.Scheme, Host: at.Host})
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, password, _ := q.BasicAuth()
		switch {
		case !strings.Contains(q.URL.Path, "/info/lfs/"):
			repository.ServeHTTP(w, q)
		case password != "s3cret":
			w.Header().Set("WWW-Authenticate", `Basic realm="lfs"`)
			http.Error(w, `{"message":"who are you"}`, http.StatusUnauthorized)
		case strings.HasSuffix(q.URL.Path, "/objects/batch"):
			scheme := "http"
			if q.TLS != nil {
				scheme = "https"
			}
			href := scheme + "://" + q.Host + "/" + filepath.Base(r.dir) + "/info/lfs/objects/" + oid
			w.Header().Set("Content-Type", "application/vnd.git-lfs+json")
			_ = json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": []any{map[string]any{
				"oid": oid, "size": len(largeBody), "actions": map[string]any{"download": map[string]any{"href": href}},
			}}})
		default:
			fmt.Fprint(w, largeBody)
		}
	})
}
