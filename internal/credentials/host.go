// Package credentials finds the credentials for a registry: those that a
// `docker login` of the run added, those given with `--credential`, and those
// of the user's Docker configuration with its credential helpers.
package credentials

import "strings"

// DockerHub is the host that stands for Docker Hub in this package.
const DockerHub = "docker.io"

// DockerHubServer is the name that Docker's configuration files and credential
// helpers have for Docker Hub.
const DockerHubServer = "https://index.docker.io/v1/"

// Host returns the registry host, with its port if any, of what people write
// for a registry: a host, a URL, an image repository. It is in lower case; all
// names of Docker Hub, and "", become DockerHub.
func Host(registry string) string {
	host := strings.TrimSpace(registry)
	if _, after, ok := strings.Cut(host, "://"); ok {
		host = after
	}
	host, _, _ = strings.Cut(host, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host = strings.ToLower(host)
	switch strings.TrimSuffix(host, ":443") {
	case "", "docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com", "registry.docker.io":
		return DockerHub
	}
	return host
}
