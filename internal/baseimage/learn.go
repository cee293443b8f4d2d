package baseimage

import (
	"context"
	"encoding/json"
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

// runEnded learns from a run what its task is built from.
func (f *Follower) runEnded(ctx context.Context, registry drydock.ResourceID, data drydock.RunEvent) error {
	f.changed.Store(true) // others may have waited for it
	if data.Task == "" {
		return nil
	}
	run, err := f.Store.Run(ctx, registry, data.Run)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	known, err := f.Store.TaskImages(ctx, registry.Child("tasks", data.Task))
	if err != nil {
		return err
	}
	images, before := known[0], known[0].Bases
	images.Ended = max(images.Ended, run.Number)
	if !run.Altered && run.Number > max(images.Learnt, images.Outdated) {
		if err := f.learn(ctx, &images, run); err != nil {
			return err
		}
	}
	err = index{f.Store, f.Hosts}.put(ctx, images, before)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // the task is gone
	}
	return err
}

// learn puts what a run resolved and pushed into what is known of its task.
func (f *Follower) learn(ctx context.Context, images *drydock.TaskImages, run drydock.RunRecord) error {
	var result runResult
	if len(run.Result) > 0 {
		if err := json.Unmarshal(run.Result, &result); err != nil {
			return err
		}
	}
	succeeded := run.Status == drydock.RunSucceeded
	if !succeeded && result.Declared == nil && len(result.Dependencies) == 0 {
		return nil // what it was going to stand on counts
	}
	before := images.Bases
	images.Bases = resolved(result.Dependencies)
	outputs := images.Outputs
	images.Outputs = nil
	for _, ref := range result.OutputImages {
		if name, err := ref.Name(); err == nil && !name.Pinned() {
			images.Outputs = append(images.Outputs, name)
		}
	}
	if succeeded {
		pushed, err := f.pushedBy(ctx, run, outputs)
		if err != nil {
			return err
		}
		images.Outputs = append(images.Outputs, pushed...)
	} else {
		// It has not got to all of its builds and pushes.
		images.Bases = complete(images.Bases, before, result)
		images.Outputs = append(images.Outputs, outputs...)
	}
	images.Learnt, images.Reading, images.Problem = run.Number, false, ""
	overtaken, err := f.overtaken(ctx, run)
	if err != nil {
		return err
	}
	if overtaken {
		return f.bring(ctx, images.Bases)
	}
	return f.compare(ctx, images.Bases, before)
}

// pushedBy returns those of some images that a run has pushed in a way that its
// result doesn't tell of.
func (f *Follower) pushedBy(ctx context.Context, run drydock.RunRecord, images []drydock.ImageName) ([]drydock.ImageName, error) {
	states, err := f.Store.ImageStates(ctx, images...)
	id := run.Registry.Child("runs", run.ID).Key()
	return slices.DeleteFunc(images, func(image drydock.ImageName) bool { return states[image].Run.Key() != id }), err
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

// overtaken reports whether the task of a run has a newer one.
func (f *Follower) overtaken(ctx context.Context, run drydock.RunRecord) (bool, error) {
	newest, err := f.Store.Runs(ctx, drydock.RunFilter{Registry: run.Registry, Tasks: []string{run.Task}, Limit: 20, Brief: true})
	for _, r := range newest {
		if r.Number > run.Number && !r.Altered {
			return true, nil
		}
	}
	return false, err
}

// compare notes which tags of other registries were not what was expected when
// the run was made, and asks for them to be looked at.
func (f *Follower) compare(ctx context.Context, bases, before []drydock.BaseImage) error {
	expected := map[drydock.ImageName]string{}
	for _, b := range before {
		expected[b.Image] = b.Digest
	}
	for i, b := range bases {
		want := expected[b.Image]
		if b.Image.Pinned() || want == "" || want == b.Digest {
			continue
		}
		_, ours, err := f.Hosts.Registry(ctx, b.Image.Registry)
		if err != nil {
			return err
		}
		if !ours {
			bases[i].Before = want
			f.doubt(b.Image)
		}
	}
	return nil
}

// bring says of bases that they are what their tags point at.
func (f *Follower) bring(ctx context.Context, bases []drydock.BaseImage) error {
	for i, b := range bases {
		known, err := f.Store.ImageStates(ctx, b.Image)
		if err != nil {
			return err
		}
		if state := known[b.Image]; state.Digest != "" {
			bases[i].Digest = state.Digest
		}
	}
	return nil
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
