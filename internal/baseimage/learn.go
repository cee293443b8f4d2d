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
	images := known[0]
	images.Ended = max(images.Ended, run.Number)
	if !run.Altered && run.Number > images.Learnt {
		if err := f.learn(ctx, &images, run); err != nil {
			return err
		}
	}
	err = f.Store.PutTaskImages(ctx, images)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // the task is gone
	}
	if err != nil {
		return err
	}
	for _, b := range images.Bases {
		if err := f.seed(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// learn puts what a run resolved and pushed into what is known of its task.
func (f *Follower) learn(ctx context.Context, images *drydock.TaskImages, run drydock.RunRecord) error {
	var result runResult
	if len(run.Result) > 0 {
		if err := json.Unmarshal(run.Result, &result); err != nil {
			return err
		}
	}
	bases := resolved(result.Dependencies)
	if len(bases) == 0 {
		return nil // what it was going to stand on counts
	}
	before := images.Bases
	images.Learnt, images.Bases = run.Number, bases
	images.Outputs = nil
	for _, ref := range result.OutputImages {
		if name, err := ref.Name(); err == nil && !name.Pinned() && !slices.Contains(images.Outputs, name) {
			images.Outputs = append(images.Outputs, name)
		}
	}
	overtaken, err := f.overtaken(ctx, run)
	if err != nil {
		return err
	}
	if overtaken {
		return f.bring(ctx, images.Bases)
	}
	return f.compare(ctx, images.Bases, before)
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
	slices.SortFunc(all, func(a, b drydock.BaseImage) int { return strings.Compare(a.Image.String(), b.Image.String()) })
	return all
}

// seed finds out what a tag points at that nothing is known of yet.
func (f *Follower) seed(ctx context.Context, b drydock.BaseImage) error {
	if b.Image.Pinned() {
		return nil
	}
	known, err := f.Store.ImageStates(ctx, b.Image)
	if err != nil {
		return err
	}
	if _, there := known[b.Image]; there {
		return nil
	}
	state := drydock.ImageState{Image: b.Image, Digest: b.Digest}
	registry, ours, err := f.Hosts.Registry(ctx, b.Image.Registry)
	if err != nil {
		return err
	}
	if ours {
		if state.Digest, err = tagDigest(ctx, f.Store, registry, b.Image); err != nil {
			return err
		}
	}
	_, err = f.Store.PutImageState(ctx, state)
	return err
}
