package runner

import (
	"slices"

	"github.com/drydockhq/drydock"
)

// realAzure reports whether the run reaches the real Azure.
func (j *job) realAzure() bool { return j.agent.RealAzure != nil && j.agent.RealAzure(j.record) }

// isReal reports whether a registry's host is one of Azure's own to the run.
func (j *job) isReal(host string) bool {
	_, _, _, azure := drydock.AzureHost(host)
	return azure && j.realAzure()
}

// names says by which of several hosts the images of a run's registries are noted.
type names struct {
	canonicalHost func(string) string // nil if each has one
	real          bool                // by the names of Azure's clouds, they are Azure's own
}

func (j *job) names() names { return names{j.agent.Canonical, j.realAzure()} }

// canonical returns the one host of a registry that has several.
func (n names) canonical(host string) string {
	if _, _, _, azure := drydock.AzureHost(host); n.canonicalHost == nil || azure && n.real {
		return host
	}
	return n.canonicalHost(host)
}

// canonicalImage is image by the one host of its registry.
func (n names) canonicalImage(image drydock.ImageName) drydock.ImageName {
	image.Registry = drydock.RegistryHost(n.canonical(image.Registry))
	return image
}

func (n names) canonicalReference(r *drydock.ImageReference) *drydock.ImageReference {
	if r == nil {
		return nil
	}
	other := *r
	other.Registry = n.canonical(r.Registry)
	return &other
}

// canonicalDependencies returns dependencies by the one host of each registry, so
// that what is noted of an image is found by all of its names.
func (n names) canonicalDependencies(all []drydock.ImageDependencies) []drydock.ImageDependencies {
	all = slices.Clone(all)
	for i := range all {
		d := &all[i]
		d.Image, d.Runtime = n.canonicalReference(d.Image), n.canonicalReference(d.Runtime)
		d.Buildtime = slices.Clone(d.Buildtime)
		for k := range d.Buildtime {
			d.Buildtime[k] = *n.canonicalReference(&d.Buildtime[k])
		}
	}
	return all
}
