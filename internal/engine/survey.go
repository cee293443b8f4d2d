package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// Surveyor is an Executor that can say what builds would be made from, without
// carrying them out.
type Surveyor interface {
	// Bases returns the images that the build of a Dockerfile would resolve, as
	// far as can be told without them, ordered by their names. Digests are those
	// that names have. Of the build, flags and environment count.
	Bases(ctx context.Context, dockerfile []byte, b Build) ([]drydock.BaseImage, error)

	// Digest asks a registry what a tag points at, signed in as credentials say.
	// A tag that is not there is an error with code NotFound.
	Digest(ctx context.Context, image drydock.ImageName, creds []drydock.Credential) (string, error)
}

// MakeSurvey says what the builds of a plan would be made from, without asking
// registries. Files of the source are read with read, by their names with
// slashes.
func MakeSurvey(ctx context.Context, s Surveyor, plan *drydock.Plan, read func(name string) ([]byte, error)) (drydock.BuildSurvey, error) {
	var survey drydock.BuildSurvey
	bases := map[drydock.ImageName]drydock.BaseImage{}
	built := map[drydock.ImageName]bool{}
	outputs := map[drydock.ImageName]bool{}
	for i := range plan.Steps {
		j := job{Step: &plan.Steps[i]}
		if err := j.read(); err != nil {
			return survey, readError(j.Step, err)
		}
		for _, image := range j.Push {
			addName(outputs, image)
		}
		if j.flags == nil {
			continue
		}
		found, err := j.survey(ctx, s, read)
		if err != nil {
			survey.Unknown = append(survey.Unknown, fmt.Sprintf("step %s: %v", j.ID, err))
		}
		for _, b := range found {
			if known, there := bases[b.Image]; !built[b.Image] && (!there || known.Kind != drydock.RuntimeBase) {
				bases[b.Image] = b
			}
		}
		for _, tag := range j.flags.Tags {
			addName(built, tag)
			if j.flags.Push {
				addName(outputs, tag)
			}
		}
	}
	for _, b := range bases {
		survey.Bases = append(survey.Bases, drydock.SurveyedBase{BaseImage: b})
	}
	for image := range outputs {
		survey.Outputs = append(survey.Outputs, image)
	}
	slices.SortFunc(survey.Bases, func(a, b drydock.SurveyedBase) int { return strings.Compare(a.Image.String(), b.Image.String()) })
	slices.SortFunc(survey.Outputs, func(a, b drydock.ImageName) int { return strings.Compare(a.String(), b.String()) })
	return survey, nil
}

func addName(names map[drydock.ImageName]bool, name string) {
	if image, err := drydock.ParseImageName(name); err == nil && !image.Pinned() {
		names[image] = true
	}
}

// survey returns what a build would be made from.
func (j *job) survey(ctx context.Context, s Surveyor, read func(name string) ([]byte, error)) ([]drydock.BaseImage, error) {
	if kind := buildflags.ContextKind(j.flags.Context); kind != buildflags.Local {
		return nil, fmt.Errorf("its context, %s, is not part of the source", kind)
	}
	name := path.Join(j.flags.Context, "Dockerfile")
	switch j.flags.Dockerfile {
	case "":
	case "-":
		return nil, errors.New("its Dockerfile comes from standard input")
	default:
		name = j.flags.Dockerfile
	}
	if !path.IsAbs(name) {
		name = path.Join(j.directory(), name)
	}
	if !path.IsAbs(name) {
		name = path.Join(workspace, name)
	}
	rel, err := filepath.Rel(workspace, path.Clean(name))
	if err != nil || !filepath.IsLocal(rel) {
		return nil, fmt.Errorf("its Dockerfile %s is not part of the source", name)
	}
	data, err := read(filepath.ToSlash(rel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s in the source", rel)
	}
	if err != nil {
		return nil, err
	}
	return s.Bases(ctx, data, Build{StepID: j.ID, Flags: j.flags, Dir: j.directory(), Env: j.Env})
}
