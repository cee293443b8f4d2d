package acrcli

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// The types of manifests that Docker and ORAS had before OCI's.
const (
	dockerList    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerImage   = "application/vnd.docker.distribution.manifest.v2+json"
	orasArtifact  = "application/vnd.cncf.oras.artifact.manifest.v1+json"
	earlyArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// manifestTypes are all that a registry may have.
func manifestTypes() []string {
	return []string{ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageManifest, dockerList, dockerImage, earlyArtifact, orasArtifact}
}

// isList reports whether a manifest lists others. What has no type might.
func isList(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerList || mediaType == ""
}

// mayRefer reports whether a manifest of a type may be about another one.
func mayRefer(mediaType string) bool {
	switch mediaType {
	case ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageManifest, earlyArtifact, orasArtifact:
		return true
	}
	return false
}
