package runner

import (
	"slices"

	"github.com/drydockhq/drydock"
)

// canonical returns the one host of a registry that has several.
func (a *Agent) canonical(host string) string {
	if a.Canonical == nil {
		return host
	}
	return a.Canonical(host)
}

// canonicalImage is image by the one host of its registry.
func (a *Agent) canonicalImage(image drydock.ImageName) drydock.ImageName {
	image.Registry = drydock.RegistryHost(a.canonical(image.Registry))
	return image
}

func (a *Agent) canonicalReference(r *drydock.ImageReference) *drydock.ImageReference {
	if r == nil {
		return nil
	}
	other := *r
	other.Registry = a.canonical(r.Registry)
	return &other
}

// canonicalDependencies returns dependencies by the one host of each registry, so
// that what is noted of an image is found by all of its names.
func (a *Agent) canonicalDependencies(all []drydock.ImageDependencies) []drydock.ImageDependencies {
	all = slices.Clone(all)
	for i := range all {
		d := &all[i]
		d.Image, d.Runtime = a.canonicalReference(d.Image), a.canonicalReference(d.Runtime)
		d.Buildtime = slices.Clone(d.Buildtime)
		for k := range d.Buildtime {
			d.Buildtime[k] = *a.canonicalReference(&d.Buildtime[k])
		}
	}
	return all
}
