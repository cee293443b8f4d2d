package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/drydockhq/drydock"
)

// The media types of manifests.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	// ociArtifact never became part of a released specification, but clients
	// have pushed it.
	ociArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// The media types of the configs of images.
const (
	dockerConfig = "application/vnd.docker.container.image.v1+json"
	ociConfig    = "application/vnd.oci.image.config.v1+json"
)

// maxManifest is how many bytes a manifest may have, as the specification
// recommends.
const maxManifest = 4 << 20

// maxTotal bounds the sizes that manifests claim, so that sums don't overflow.
const maxTotal = 1 << 60

// descriptor is what a manifest says of a blob or of another manifest.
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      int64    `json:"size"`
	URLs      []string `json:"urls"`
	Platform  *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
	} `json:"platform"`
}

// document holds the fields of all sorts of manifests.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Blobs         []descriptor      `json:"blobs"` // of an ociArtifact
	Manifests     []descriptor      `json:"manifests"`
	Subject       *descriptor       `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// parseManifest reads a manifest. contentType is the header that it came with.
// The result lacks what is not in the content: where it is and its digest, and
// of an image the platform.
func parseManifest(contentType string, content []byte) (drydock.Manifest, error) {
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		return drydock.Manifest{}, manifestInvalid("the manifest is not JSON of the right form: " + err.Error())
	}
	mediaType, err := d.mediaType(contentType)
	if err != nil {
		return drydock.Manifest{}, manifestInvalid(err.Error())
	}
	if err := d.check(mediaType); err != nil {
		var p *problem // of a digest
		if !errors.As(err, &p) {
			p = manifestInvalid(err.Error())
		}
		return drydock.Manifest{}, p
	}
	m := drydock.Manifest{
		MediaType: mediaType, Content: content, Size: int64(len(content)), TotalSize: int64(len(content)),
		ArtifactType: d.ArtifactType, Annotations: d.Annotations,
	}
	if d.Subject != nil {
		m.Subject = d.Subject.Digest
	}
	if d.Config != nil {
		m.ConfigType = d.Config.MediaType
		if m.ArtifactType == "" {
			m.ArtifactType = d.Config.MediaType
		}
	}
	for _, b := range d.held() {
		m.TotalSize = min(m.TotalSize+b.Size, maxTotal)
		if len(b.URLs) == 0 && !slices.Contains(m.Blobs, b.Digest) {
			m.Blobs = append(m.Blobs, b.Digest)
		}
	}
	for _, c := range d.Manifests {
		child := drydock.ChildManifest{Digest: c.Digest}
		if c.Platform != nil {
			child.OS, child.Architecture = c.Platform.OS, c.Platform.Architecture
		}
		m.Children = append(m.Children, child)
	}
	return m, nil
}

// mediaType returns what sort of manifest the document is: header and document
// must agree.
func (d *document) mediaType(contentType string) (string, error) {
	header, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return "", fmt.Errorf("the Content-Type %q can't be read: %w", contentType, err)
	}
	if header == octetStream || header == "application/json" {
		header = ""
	}
	switch {
	case header == "" && d.MediaType == "":
		return "", errors.New("the manifest has no media type")
	case header == "":
		return d.MediaType, nil
	case d.MediaType != "" && d.MediaType != header:
		return "", fmt.Errorf("the Content-Type is %q and the manifest's mediaType is %q", header, d.MediaType)
	}
	return header, nil
}

// check holds a document against the rules of its media type.
func (d *document) check(mediaType string) error {
	index := false
	switch mediaType {
	case dockerManifest, ociManifest:
		if d.Config == nil {
			return errors.New("the manifest has no config")
		}
	case dockerList, ociIndex:
		index = true
	case ociArtifact:
	default:
		return fmt.Errorf("manifests of type %q are not supported", mediaType)
	}
	if mediaType != ociArtifact && d.SchemaVersion != 2 {
		return fmt.Errorf("the schemaVersion is %d instead of 2", d.SchemaVersion)
	}
	// A document that is two things at once is read differently by others.
	if index && (d.Config != nil || len(d.Layers) > 0) || !index && len(d.Manifests) > 0 {
		return errors.New("the manifest has fields of an image and of an index")
	}
	all := append(d.held(), d.Manifests...)
	if d.Subject != nil {
		all = append(all, *d.Subject)
	}
	for _, b := range all {
		if err := checkDigest(b.Digest); err != nil {
			return err
		}
		if b.Size < 0 || b.Size > maxTotal {
			return fmt.Errorf("the size of %s is %d", b.Digest, b.Size)
		}
	}
	return nil
}

// held returns the descriptors of the blobs that belong to the document.
func (d *document) held() []descriptor {
	var all []descriptor
	if d.Config != nil {
		all = append(all, *d.Config)
	}
	return append(append(all, d.Layers...), d.Blobs...)
}

// digestLike returns the digest of content by the algorithm of another one, or
// sha256 if that is empty.
func digestLike(other string, content []byte) string {
	algorithm := digest.SHA256
	if other != "" {
		algorithm = digest.Digest(other).Algorithm()
	}
	return algorithm.FromBytes(content).String()
}
