package upstream

import (
	"encoding/json"
	"strings"
)

// gitHubRegistry is where GitHub has the containers of github.com.
const gitHubRegistry = "ghcr.io"

// gitHubPackage is a package in GitHub's events. A version without a tag is a part
// of an index, or one that was pushed by its digest.
type gitHubPackage struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Type      string `json:"package_type"`
	Ecosystem string `json:"ecosystem"`
	Version   struct {
		URL       string `json:"package_url"` // ghcr.io/owner/name:tag
		Container struct {
			Tag struct {
				Name string `json:"name"`
			} `json:"tag"`
		} `json:"container_metadata"`
	} `json:"package_version"`
}

// readGitHub reads an event "package" or "registry_package".
func readGitHub(body []byte) ([]Hint, error) {
	var d struct {
		Package  *gitHubPackage `json:"package"`
		Registry *gitHubPackage `json:"registry_package"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	p := d.Package
	if p == nil {
		p = d.Registry
	}
	if p == nil || !strings.EqualFold(p.Type, "container") && !strings.EqualFold(p.Ecosystem, "container") {
		return nil, nil
	}
	hint := Hint{Host: gitHubRegistry, Repository: p.Namespace + "/" + p.Name, Tag: p.Version.Container.Tag.Name}
	if host, rest, ok := strings.Cut(p.Version.URL, "/"); ok && strings.Contains(host, ".") {
		// On an own server of GitHub's it is another one.
		hint.Host = host
		repository, tag, _ := strings.Cut(rest, ":")
		hint.Repository = repository
		if hint.Tag == "" {
			hint.Tag = tag
		}
	}
	if hint.Repository = strings.ToLower(hint.Repository); hint.Tag == "" {
		return nil, nil
	}
	return []Hint{hint}, nil
}
