package baseimage

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// runResult is what the result of a run tells of images; see drydock.RunRecord.
type runResult struct {
	Dependencies []drydock.ImageDependencies `json:"dependencies"`
	OutputImages []drydock.ImageReference    `json:"outputImages"`
	// Declared is what the builds of a run that did not succeed were to be made
	// from; nil if it did not get to know.
	Declared *struct {
		Images []struct {
			Image string                `json:"image"`
			Kind  drydock.BaseImageKind `json:"kind"`
		} `json:"images"`
		Complete bool `json:"complete"`
	} `json:"declaredBases"`
}

// complete adds to the bases that a run resolved those that it was to resolve,
// as they were when it began. Of builds that could not be read, those from before
// stay.
func complete(bases, before []drydock.BaseImage, result runResult) []drydock.BaseImage {
	have := map[drydock.ImageName]bool{}
	for _, b := range bases {
		have[b.Image] = true
	}
	was := map[drydock.ImageName]drydock.BaseImage{}
	for _, b := range before {
		was[b.Image] = b
	}
	add := func(b drydock.BaseImage) {
		if !have[b.Image] {
			have[b.Image] = true
			bases = append(bases, b)
		}
	}
	if d := result.Declared; d != nil {
		for _, i := range d.Images {
			if image, err := drydock.ParseImageName(i.Image); err == nil {
				add(drydock.BaseImage{Image: image, Kind: i.Kind, Digest: was[image].Digest, Before: was[image].Before})
			}
		}
	}
	if d := result.Declared; d == nil || !d.Complete {
		for _, b := range before {
			add(b)
		}
	}
	sortBases(bases)
	return bases
}

func sortBases(bases []drydock.BaseImage) {
	slices.SortFunc(bases, func(a, b drydock.BaseImage) int { return strings.Compare(a.Image.String(), b.Image.String()) })
}

// resolved returns the images that builds were made from, ordered by their
// names, without those that the same run has built. One that is the runtime base
// of any build is that.
func resolved(found []drydock.ImageDependencies) []drydock.BaseImage {
	built := map[drydock.ImageReference]bool{}
	for _, d := range found {
		if d.Image != nil {
			built[*d.Image] = true
		}
	}
	bases := map[string]drydock.BaseImage{}
	add := func(ref drydock.ImageReference, kind drydock.BaseImageKind) {
		name, err := ref.Name()
		if err != nil || built[ref] || ref.Digest == "" {
			return
		}
		if known, there := bases[name.String()]; there && known.Kind == drydock.RuntimeBase {
			return
		}
		bases[name.String()] = drydock.BaseImage{Image: name, Kind: kind, Digest: ref.Digest}
	}
	for _, d := range found {
		if d.Runtime != nil {
			add(*d.Runtime, drydock.RuntimeBase)
		}
		for _, ref := range d.Buildtime {
			add(ref, drydock.BuildTimeBase)
		}
	}
	all := make([]drydock.BaseImage, 0, len(bases))
	for _, b := range bases {
		all = append(all, b)
	}
	sortBases(all)
	return all
}
