package baseimage

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/drydockhq/drydock"
)

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
	built(images.Bases, before, succeeded)
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

// built notes what the newest run that succeeded stands on: the one that the bases
// are of, or one before.
func built(bases, before []drydock.BaseImage, succeeded bool) {
	was := map[drydock.ImageName]string{}
	for _, b := range before {
		was[b.Image] = b.Built
	}
	for i := range bases {
		b := &bases[i]
		if b.Built = was[b.Image]; succeeded {
			b.Built = b.Digest
		}
	}
}

// pushedBy returns those of some images that a run has pushed in a way that its
// result doesn't tell of.
func (f *Follower) pushedBy(ctx context.Context, run drydock.RunRecord, images []drydock.ImageName) ([]drydock.ImageName, error) {
	states, err := f.Store.ImageStates(ctx, images...)
	id := run.Registry.Child("runs", run.ID).Key()
	return slices.DeleteFunc(images, func(image drydock.ImageName) bool { return states[image].Run.Key() != id }), err
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
