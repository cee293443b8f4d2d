package cli

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// noSource stands for a run without a source.
const noSource = "/dev/null"

// source is where a build takes its files from.
type source struct {
	remote     string // "" for a folder, and for none
	folder     string
	file       string // path of the Dockerfile on this machine; "" for none
	dockerfile string // what it is called in the source
}

// remotes are what the addresses of sources begin with.
var remotes = []string{"https://", "http://", "git://", "ssh://", "file://", "oci://", "github.com/"}

// isRemote reports whether a source is the address of something elsewhere.
func isRemote(text string) bool {
	for _, prefix := range remotes {
		if strings.HasPrefix(strings.ToLower(text), prefix) {
			return true
		}
	}
	user, place, ok := strings.Cut(text, "@") // as git@github.com:acme/hello.git
	return ok && strings.Contains(place, ":") && !strings.ContainsAny(user, "/:")
}

// source reads a command's SOURCE. With a Dockerfile, that of a folder is looked
// for on this machine.
func (a *app) source(text, file string, dockerfile bool) (*source, error) {
	if strings.EqualFold(text, noSource) && dockerfile && file == "" {
		return nil, drydock.Errorf(drydock.Invalid, "the source %q has no Dockerfile", text).
			WithHint("SOURCE is a folder or a URL; --file/-f names the Dockerfile if it is not called that")
	}
	if strings.EqualFold(text, noSource) {
		return &source{dockerfile: file}, nil
	}
	info, err := os.Stat(text)
	if err != nil {
		if isRemote(text) {
			if dockerfile && file == "" {
				file = "Dockerfile"
			}
			return &source{remote: text, dockerfile: file}, nil
		}
		return nil, drydock.Errorf(drydock.Invalid, "the source %q does not exist", text).
			WithHint("it is a folder, the URL of a git repository or of a tarball, or oci://REGISTRY/REPOSITORY:TAG")
	}
	if !info.IsDir() {
		return nil, drydock.Errorf(drydock.Invalid, "the source %q is a file", text).WithHint("it is a folder or a URL; name the Dockerfile with --file")
	}
	s := &source{folder: text}
	if !dockerfile {
		return s, nil
	}
	if s.file, err = findDockerfile(text, file); err != nil {
		return nil, err
	}
	name := make([]byte, 16)
	rand.Read(name) // never fails
	s.dockerfile = hex.EncodeToString(name) + "_" + filepath.Base(s.file)
	return s, nil
}

// findDockerfile returns the path of a folder's Dockerfile. One that is named is
// relative to where the user is, as the Azure CLI has it, or else to the folder,
// as its help says.
func findDockerfile(folder, name string) (string, error) {
	places := []string{name, filepath.Join(folder, name)}
	if name == "" {
		places = []string{filepath.Join(folder, "Dockerfile")}
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() {
			return place, nil
		}
	}
	return "", drydock.Errorf(drydock.Invalid, "there is no Dockerfile %q", places[0]).WithHint("name it with --file/-f")
}
