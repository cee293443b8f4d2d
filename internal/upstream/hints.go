package upstream

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// Hints reads what a registry tells of pushes and deletions: the notifications
// of distribution, and the webhooks of Docker Hub, GitHub's registry, Quay,
// Harbor and ACR. The event is GitHub's name of it, from the header; the form of
// the others is told by their fields. A delivery that is about something else has
// no hints; one that is no JSON object is an error.
func Hints(event string, body []byte) ([]Hint, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, fmt.Errorf("the body is no JSON object: %w", err)
	}
	read := readerOf(event, fields)
	if read == nil {
		return nil, nil
	}
	found, err := read(body)
	if err != nil {
		return nil, fmt.Errorf("a field has not the type that it should have: %w", err)
	}
	var hints []Hint
	seen := map[Hint]bool{}
	for _, hint := range found {
		if hint, ok := hint.normal(); ok && !seen[hint] {
			seen[hint] = true
			hints = append(hints, hint)
		}
	}
	return hints, nil
}

// readerOf returns what reads a delivery with such fields; nil for nothing.
func readerOf(event string, fields map[string]json.RawMessage) func([]byte) ([]Hint, error) {
	has := func(name string) bool { _, ok := fields[name]; return ok }
	switch {
	case event == "package" || event == "registry_package" || has("registry_package"):
		return readGitHub
	case event != "": // a ping, or something that GitHub was not to send
		return nil
	case has("events"):
		return readDistribution
	case has("target"):
		return readACR
	case has("push_data"):
		return readDockerHub
	case has("docker_url"):
		return readQuay
	case has("event_data"):
		return readHarbor
	case has("specversion") && has("data"):
		return readHarborCloudEvent
	}
	return nil
}

// normal returns the hint with names as they are watched, and false for one that
// can be of no image.
func (h Hint) normal() (Hint, bool) {
	if h.Tag != "" && !drydock.ValidTag(h.Tag) {
		return h, false // pushed by its digest: no tag has moved
	}
	host := h.Host
	if host == "" {
		host = "unknown.invalid"
	}
	n, err := drydock.ParseImageName(host + "/" + h.Repository)
	if err != nil || n.Pinned() || strings.Contains(h.Repository, ":") {
		return h, false
	}
	if h.Repository = n.Repository; h.Host != "" {
		h.Host = n.Registry
	}
	return h, true
}

// notification is an event of distribution, and all that ACR sends.
type notification struct {
	Action string `json:"action"`
	Target struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
		URL        string `json:"url"`
	} `json:"target"`
	Request struct {
		Host string `json:"host"`
	} `json:"request"`
}

// hints returns what the event tells. A push without a tag is one of a layer, or
// by digest; a deletion without one may be of any tag.
func (n notification) hints() []Hint {
	push, remove := n.Action == "push" && n.Target.Tag != "", n.Action == "delete"
	if !push && !remove {
		return nil
	}
	host := n.Request.Host
	if u, err := url.Parse(n.Target.URL); err == nil && host == "" {
		host = u.Host
	}
	return []Hint{{Host: host, Repository: n.Target.Repository, Tag: n.Target.Tag}}
}

func readDistribution(body []byte) ([]Hint, error) {
	var d struct {
		Events []notification `json:"events"`
	}
	err := json.Unmarshal(body, &d)
	var all []Hint
	for _, e := range d.Events {
		all = append(all, e.hints()...)
	}
	return all, err
}

func readACR(body []byte) ([]Hint, error) {
	var n notification
	err := json.Unmarshal(body, &n)
	return n.hints(), err
}

func readDockerHub(body []byte) ([]Hint, error) {
	var d struct {
		Push struct {
			Tag string `json:"tag"`
		} `json:"push_data"`
		Repository struct {
			Name string `json:"repo_name"`
		} `json:"repository"`
	}
	err := json.Unmarshal(body, &d)
	return []Hint{{Host: drydock.DockerHub, Repository: d.Repository.Name, Tag: d.Push.Tag}}, err
}

// readQuay reads a push to Quay, whose tags are a list, or in older versions the
// keys of an object.
func readQuay(body []byte) ([]Hint, error) {
	var d struct {
		URL  string          `json:"docker_url"`
		Tags json.RawMessage `json:"updated_tags"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	var tags []string
	if json.Unmarshal(d.Tags, &tags) != nil {
		var digests map[string]json.RawMessage
		if err := json.Unmarshal(d.Tags, &digests); err != nil && len(d.Tags) > 0 {
			return nil, err
		}
		for tag := range digests {
			tags = append(tags, tag)
		}
		slices.Sort(tags)
	}
	host, repository, _ := strings.Cut(d.URL, "/")
	var all []Hint
	for _, tag := range tags {
		all = append(all, Hint{Host: host, Repository: repository, Tag: tag})
	}
	return all, nil
}
