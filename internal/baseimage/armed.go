package baseimage

import (
	"context"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// store stores what was read, or why it could not be.
func (a *Armer) store(ctx context.Context, task drydock.ResourceID, definition string, survey drydock.BuildSurvey, problem error) error {
	known, err := a.Store.TaskImages(ctx, task)
	if err != nil {
		return err
	}
	images, before := known[0], known[0].Bases
	if !images.Reading && images.Problem == "" {
		return nil // a run has told more meanwhile
	}
	images.Reading, images.ReadFor, images.Armed, images.Problem = false, definition, a.Now(), ""
	if problem != nil {
		images.Problem = problem.Error()
		a.Log.InfoContext(ctx, "it is not known yet what a task is built from", "task", task.String(), "reason", images.Problem)
		return a.Store.PutTaskImages(ctx, images)
	}
	bases, absent, problems := surveyed(survey, before)
	images.Bases, images.Learnt, images.Problem = bases, 0, strings.Join(problems, "; ")
	outputs := survey.Outputs
	if len(survey.Unknown) > 0 {
		outputs = append(outputs, images.Outputs...)
	}
	images.Outputs = outputs
	return index{a.Store, a.Hosts}.put(ctx, images, before, absent...)
}

// surveyed returns the bases of a survey, which of them there is no image of, and
// what is wrong with others. What the task's newest run stands on stays.
func surveyed(survey drydock.BuildSurvey, before []drydock.BaseImage) (bases []drydock.BaseImage, absent []drydock.ImageName, problems []string) {
	was := map[drydock.ImageName]drydock.BaseImage{}
	for _, b := range before {
		was[b.Image] = b
	}
	problems = append(problems, survey.Unknown...)
	have := map[drydock.ImageName]bool{}
	for _, s := range survey.Bases {
		b := s.BaseImage
		if old, known := was[b.Image]; known {
			b.Digest, b.Before, b.Built = old.Digest, old.Before, old.Built
		}
		switch drydock.CodeOf(s.Err) {
		case "":
		case drydock.NotFound:
			absent = append(absent, b.Image)
		case drydock.Denied:
			// What the task may not read is none of its business.
			problems = append(problems, fmt.Sprintf("%s: %v", b.Image.Familiar(), s.Err))
			continue
		default:
			problems = append(problems, fmt.Sprintf("%s: %v", b.Image.Familiar(), s.Err))
		}
		have[b.Image] = true
		bases = append(bases, b)
	}
	if len(survey.Unknown) > 0 {
		for _, b := range before {
			if !have[b.Image] {
				bases = append(bases, b)
			}
		}
	}
	sortBases(bases)
	return bases, absent, problems
}
