package runner

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/logs"
)

// surveyID and surveyDate stand for the id and the date of a run that is only
// surveyed: names with them are other ones in each run.
const surveyID = "drydock0survey"

// surveyTime is how long a survey may read the run's registry.
const surveyTime = 10 * time.Minute

var (
	surveyDate  = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	surveyDates = []string{"19700101", "1970-01-01"}
)

// Survey fetches the source of a run and plans it, and says what its builds
// would be made from. The run need not be stored; where it would sign in to its own
// registry, that is only read. Registries are asked for the digests of the bases
// for which skip doesn't return true.
func (a *Agent) Survey(ctx context.Context, r drydock.RunRecord, skip func(drydock.ImageName) bool) (drydock.BuildSurvey, error) {
	surveyor, ok := a.Executor.(engine.Surveyor)
	if !ok {
		return drydock.BuildSurvey{}, drydock.Errorf(drydock.Unavailable, "the executor can't tell what builds are made from")
	}
	r.ID, r.Created = surveyID, surveyDate
	masker := logs.NewMasker()
	j := &job{
		agent: a, record: r, masker: masker, surveying: true,
		log: logs.New(logs.Options{Renderer: logs.NewText(io.Discard), Masker: masker, Now: a.Now}),
	}
	survey, creds, err := j.survey(ctx, surveyor)
	if err != nil {
		return drydock.BuildSurvey{}, masker.Error(err)
	}
	for i := range survey.Unknown {
		survey.Unknown[i] = masker.String(survey.Unknown[i])
	}
	for i := range survey.Bases {
		b := &survey.Bases[i]
		asked := b.Image // by the host that the credentials are for
		b.Image = j.names().canonicalImage(b.Image)
		if b.Image.Pinned() || skip(b.Image) || j.isReal(asked.Registry) { // a run will tell
			continue
		}
		b.Digest, b.Err = surveyor.Digest(ctx, asked, creds)
		b.Err = masker.Error(b.Err)
	}
	for i := range survey.Outputs {
		survey.Outputs[i] = j.names().canonicalImage(survey.Outputs[i])
	}
	return survey, nil
}

func (j *job) survey(ctx context.Context, surveyor engine.Surveyor) (drydock.BuildSurvey, []drydock.Credential, error) {
	var err error
	if j.request, err = j.agent.request(j.record); err != nil {
		return drydock.BuildSurvey{}, nil, err
	}
	j.hideSecrets()
	creds, err := j.credentials(ctx, surveyTime)
	if err != nil {
		return drydock.BuildSurvey{}, nil, err
	}
	planner, err := j.planner(creds)
	if err != nil {
		return drydock.BuildSurvey{}, nil, err
	}
	j.facts = j.newFacts()
	checkout, err := jobSource{j, creds}.Fetch(ctx, j.request.Source)
	if err != nil {
		return drydock.BuildSurvey{}, nil, err
	}
	survey, err := j.surveyCheckout(ctx, surveyor, planner, checkout)
	if releaseErr := checkout.Release(); err == nil {
		err = releaseErr
	}
	return survey, creds, err
}

func (j *job) surveyCheckout(ctx context.Context, surveyor engine.Surveyor, planner Planner, c *Checkout) (drydock.BuildSurvey, error) {
	plan, err := planner.Plan(ctx, c, c.complete(j.facts))
	if err != nil {
		return drydock.BuildSurvey{}, err
	}
	j.masker.Add(plan.SecretValues...)
	survey, err := engine.MakeSurvey(ctx, surveyor, plan, c.read)
	survey.Bases = slices.DeleteFunc(survey.Bases, func(b drydock.SurveyedBase) bool { return ofOneRun(b.Image) })
	survey.Outputs = slices.DeleteFunc(survey.Outputs, ofOneRun)
	return survey, err
}

// declare notes what the builds of a run are to be made from: one that fails does
// not get to resolve all of it.
func (j *job) declare(ctx context.Context, p *drydock.Plan, c *Checkout) {
	surveyor, ok := j.agent.Executor.(engine.Surveyor)
	if !ok {
		return
	}
	// What is wrong with the plan, the engine will say.
	if survey, err := engine.MakeSurvey(ctx, surveyor, p, c.read); err == nil {
		j.declared = &survey
	}
}

// ofOneRun reports whether an image is named after a run.
func ofOneRun(image drydock.ImageName) bool {
	name := image.String()
	return strings.Contains(name, surveyID) ||
		slices.ContainsFunc(surveyDates, func(date string) bool { return strings.Contains(name, date) })
}
