package buildkit

import (
	"github.com/distribution/reference"
	provenancetypes "github.com/moby/buildkit/solver/llbsolver/provenance/types"

	"github.com/drydockhq/drydock"
)

// dependency writes an image source as ACR does.
func dependency(source provenancetypes.ImageSource) drydock.ImageReference {
	named, err := reference.ParseNormalizedNamed(source.Ref)
	if err != nil {
		return drydock.ImageReference{Reference: source.Ref, Digest: source.Digest.String()}
	}
	ref := imageReference(named)
	ref.Digest = source.Digest.String()
	return ref
}

func imageReference(named reference.Named) drydock.ImageReference {
	ref := drydock.ImageReference{
		Registry:   reference.Domain(named),
		Repository: reference.Path(named),
		Reference:  shortName(named),
	}
	if ref.Registry == "docker.io" {
		ref.Registry = hubInDependencies
	}
	if tagged, ok := named.(reference.Tagged); ok {
		ref.Tag = tagged.Tag()
	}
	return ref
}

// shortName returns the short form of a name with its tag, or with the digest of
// one without a tag.
func shortName(named reference.Named) string {
	short := reference.FamiliarName(named)
	if tagged, ok := named.(reference.Tagged); ok {
		return short + ":" + tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		return short + "@" + digested.Digest().String()
	}
	return short
}

// hubInDependencies is how ACR writes Docker Hub in its dependency list.
const hubInDependencies = "registry.hub.docker.com"
