package upstream

import (
	"encoding/json"
	"slices"
	"strings"
)

// harborData is what Harbor tells of artifacts, in whichever envelope.
type harborData struct {
	Resources []struct {
		Tag string `json:"tag"`
		URL string `json:"resource_url"`
	} `json:"resources"`
	Repository struct {
		FullName string `json:"repo_full_name"`
	} `json:"repository"`
}

// harborTypes are the types of events of which tags move or go, in each of
// Harbor's spellings.
var harborTypes = []string{
	"PUSH_ARTIFACT", "DELETE_ARTIFACT", "pushImage", "deleteImage", "harbor.artifact.pushed", "harbor.artifact.deleted",
}

func (d harborData) hints(kind string) []Hint {
	if !slices.Contains(harborTypes, kind) {
		return nil
	}
	var all []Hint
	for _, r := range d.Resources {
		host, _, _ := strings.Cut(r.URL, "/")
		all = append(all, Hint{Host: host, Repository: d.Repository.FullName, Tag: r.Tag})
	}
	return all
}

func readHarbor(body []byte) ([]Hint, error) {
	var d struct {
		Type string     `json:"type"`
		Data harborData `json:"event_data"`
	}
	err := json.Unmarshal(body, &d)
	return d.Data.hints(d.Type), err
}

func readHarborCloudEvent(body []byte) ([]Hint, error) {
	var d struct {
		Type string     `json:"type"`
		Data harborData `json:"data"`
	}
	err := json.Unmarshal(body, &d)
	return d.Data.hints(d.Type), err
}
