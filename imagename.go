package drydock

import (
	"regexp"
	"strings"
)

// DockerHub is the host that stands for Docker Hub in an ImageName.
const DockerHub = "docker.io"

// acrDockerHub is how ACR writes Docker Hub in lists of dependencies.
const acrDockerHub = "registry.hub.docker.com"

// ImageName names an image in one way only: two names of the same image are
// equal. What can be watched is a name with a tag and without a digest.
type ImageName struct {
	Registry   string // host in lower case, with its port if it was given; DockerHub for all its names
	Repository string // with library/ for Docker Hub's own images
	Tag        string // empty if only a digest is named
	Digest     string // empty unless the name is pinned to it
}

var (
	hostName   = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[0-9]+)?$`)
	digestText = regexp.MustCompile(`^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)
	hexID      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ValidDigest reports whether d is a digest as registries and manifests use
// them: sha256 or sha512.
func ValidDigest(d string) bool { return digestText.MatchString(d) }

// RegistryHost returns the form in which ImageName has a registry's host: in
// lower case, DockerHub for each of Docker Hub's names and for "".
func RegistryHost(host string) string {
	host = strings.ToLower(host)
	switch strings.TrimSuffix(host, ":443") {
	case "", DockerHub, "index.docker.io", "registry-1.docker.io", "registry.docker.io", acrDockerHub, "hub.docker.com":
		return DockerHub
	}
	return host
}

// ParseImageName parses the name of an image as people write it in a FROM: Docker
// Hub is left out, and so is the tag latest. What is no such name is an error
// with code Invalid.
func ParseImageName(s string) (ImageName, error) {
	rest, pin, pinned := strings.Cut(s, "@")
	if pinned && !ValidDigest(pin) {
		return ImageName{}, badImageName(s, "what follows the @ is no digest")
	}
	n := ImageName{Digest: pin}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		rest, n.Tag = rest[:i], rest[i+1:]
		if !ValidTag(n.Tag) {
			return ImageName{}, badImageName(s, "what follows the last colon is no tag")
		}
	}
	if hexID.MatchString(rest) {
		return ImageName{}, badImageName(s, "it is the id of an image, not a name")
	}
	if n.Tag == "" && !pinned {
		n.Tag = "latest"
	}
	host, path, _ := strings.Cut(rest, "/")
	if !isHost(host, path) {
		host, path = "", rest
	}
	if n.Registry = RegistryHost(host); !hostName.MatchString(n.Registry) {
		return ImageName{}, badImageName(s, "its registry is no name of a host")
	}
	if n.Registry == DockerHub && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	n.Repository = path
	if err := CheckRepositoryName(n.Repository); err != nil {
		return ImageName{}, badImageName(s, err.(*Error).Hint)
	}
	return n, nil
}

// isHost reports whether the part of a name before its first slash is a host, as
// Docker tells: there is a dot or a port in it, or it is localhost.
func isHost(first, rest string) bool {
	return rest != "" && (strings.ContainsAny(first, ".:") || first == "localhost")
}

func badImageName(s, hint string) error {
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return Errorf(Invalid, "%q is not the name of an image", s).WithHint("%s", hint)
}

// String returns the whole name: host/repository:tag@digest.
func (n ImageName) String() string { return n.Registry + "/" + n.Repository + n.suffix() }

// Familiar returns the shortest name that means the image, as people write it.
// Parsing it gives n.
func (n ImageName) Familiar() string {
	if n.Registry != DockerHub {
		return n.String()
	}
	if short := strings.TrimPrefix(n.Repository, "library/"); !strings.Contains(short, "/") {
		return short + n.suffix()
	}
	if isHost(strings.SplitN(n.Repository, "/", 2)[0], "x") {
		return n.String()
	}
	return n.Repository + n.suffix()
}

func (n ImageName) suffix() string {
	s := ""
	if n.Tag != "" {
		s = ":" + n.Tag
	}
	if n.Digest != "" {
		s += "@" + n.Digest
	}
	return s
}

// Pinned reports that the name has a digest, so that no push changes what it
// means.
func (n ImageName) Pinned() bool { return n.Digest != "" }

// Tagged returns the name without its digest.
func (n ImageName) Tagged() ImageName {
	n.Digest = ""
	return n
}

// Reference returns the image as ACR's lists of dependencies have it.
func (n ImageName) Reference() ImageReference {
	r := ImageReference{Registry: n.Registry, Repository: n.Repository, Tag: n.Tag, Digest: n.Digest}
	if r.Registry == DockerHub {
		r.Registry = acrDockerHub
	}
	if r.Reference = n.Tagged().Familiar(); n.Tag == "" {
		r.Reference = n.Familiar()
	}
	return r
}

// Name returns the tag that the reference names, without its digest: the digest
// of a reference is what was found there. A reference without a tag, or one that
// says so, is pinned to its digest. What is no name is an error with code
// Invalid.
func (r ImageReference) Name() (ImageName, error) {
	s := RegistryHost(r.Registry) + "/" + r.Repository
	if r.Tag != "" && r.Pinned {
		return ParseImageName(s + ":" + r.Tag + "@" + r.Digest)
	}
	if r.Tag != "" {
		return ParseImageName(s + ":" + r.Tag)
	}
	return ParseImageName(s + "@" + r.Digest)
}
