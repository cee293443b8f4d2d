package drydock

// ImageReference names an image as ACR's dependency list does.
type ImageReference struct {
	Registry   string `json:"registry"`   // registry.hub.docker.com for Docker Hub
	Repository string `json:"repository"` // with library/ for Docker Hub's own images
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest"` // of the manifest or index; empty while unknown
	Reference  string `json:"reference"`
	// Pinned says that the name itself had the digest, so that what the tag means
	// makes no difference.
	Pinned bool `json:"pinned,omitempty"`
}

// ImageDependencies says what one built image was made from, in the JSON form
// that ACR prints at the end of a run. Image is nil for a build without a tag.
type ImageDependencies struct {
	Image     *ImageReference  `json:"image"`
	Runtime   *ImageReference  `json:"runtime-dependency"` // base of the final stage; nil for scratch
	Buildtime []ImageReference `json:"buildtime-dependency"`
	Git       *GitReference    `json:"git,omitempty"`
}

// GitReference is the commit that a build's context was read from.
type GitReference struct {
	HeadRevision string `json:"git-head-revision"`
}
