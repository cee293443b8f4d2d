package oci

import (
	"time"

	"github.com/drydockhq/drydock"
)

// changeable is Attributes on the wire.
type changeable struct {
	Delete bool `json:"deleteEnabled"`
	Write  bool `json:"writeEnabled"`
	Read   bool `json:"readEnabled"`
	List   bool `json:"listEnabled"`
}

func newChangeable(a drydock.Attributes) changeable {
	return changeable{a.Delete, a.Write, a.Read, a.List}
}

// wireTime is how ACR writes times: with seven digits after the second.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

type acrTagBody struct {
	Name       string     `json:"name"`
	Digest     string     `json:"digest"`
	Created    string     `json:"createdTime"`
	Updated    string     `json:"lastUpdateTime"`
	Signed     bool       `json:"signed"`
	Changeable changeable `json:"changeableAttributes"`
}

func newTagBody(t drydock.Tag) acrTagBody {
	return acrTagBody{
		Name: t.Name, Digest: t.Digest, Created: wireTime(t.Created), Updated: wireTime(t.Updated),
		Changeable: newChangeable(t.Attributes),
	}
}

type acrChildBody struct {
	Digest       string `json:"digest"`
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type acrManifestBody struct {
	Digest       string         `json:"digest"`
	Size         int64          `json:"imageSize"`
	Created      string         `json:"createdTime"`
	Updated      string         `json:"lastUpdateTime"`
	Architecture string         `json:"architecture,omitempty"`
	OS           string         `json:"os,omitempty"`
	MediaType    string         `json:"mediaType"`
	ConfigType   string         `json:"configMediaType,omitempty"`
	ArtifactType string         `json:"artifactType,omitempty"`
	Subject      string         `json:"subject,omitempty"`
	References   []acrChildBody `json:"references,omitempty"`
	Tags         []string       `json:"tags,omitempty"`
	Changeable   changeable     `json:"changeableAttributes"`
}

func newManifestBody(m drydock.Manifest) acrManifestBody {
	b := acrManifestBody{
		Digest: m.Digest, Size: m.TotalSize, Created: wireTime(m.Created), Updated: wireTime(m.Updated),
		Architecture: m.Architecture, OS: m.OS, MediaType: m.MediaType, ConfigType: m.ConfigType,
		ArtifactType: m.ArtifactType, Subject: m.Subject, Tags: m.Tags, Changeable: newChangeable(m.Attributes),
	}
	for _, child := range m.Children {
		b.References = append(b.References, acrChildBody{child.Digest, child.Architecture, child.OS})
	}
	return b
}
