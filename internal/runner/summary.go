package runner

import (
	"encoding/json"
	"slices"

	"github.com/drydockhq/drydock"
)

// result is what is kept of a run that has ended; see drydock.RunRecord.
type result struct {
	OutputImages []outputImage               `json:"outputImages,omitempty"`
	LogArtifact  *outputImage                `json:"logArtifact,omitempty"`
	Error        string                      `json:"runErrorMessage,omitempty"`
	Steps        []resultStep                `json:"steps,omitempty"`
	Dependencies []drydock.ImageDependencies `json:"dependencies,omitempty"`
	Bases        *declaredBases              `json:"declaredBases,omitempty"` // of a run that did not succeed
	Commit       string                      `json:"commit,omitempty"`
	Branch       string                      `json:"branch,omitempty"`
	SourceDigest string                      `json:"sourceDigest,omitempty"`
	LogEnd       string                      `json:"logEnd,omitempty"` // as Ending in Outcome
}

// outputImage is an image that the run pushed, in ACR's form.
type outputImage struct {
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest"`
}

// declaredBases is what the builds of a run were to be made from.
type declaredBases struct {
	Images   []declaredBase `json:"images"`
	Complete bool           `json:"complete"` // there are no others
}

type declaredBase struct {
	Image string                `json:"image"` // as drydock.ImageName writes it
	Kind  drydock.BaseImageKind `json:"kind"`
}

type resultStep struct {
	ID      string             `json:"id"`
	Status  drydock.StepStatus `json:"status"`
	Seconds float64            `json:"seconds"`
	Error   string             `json:"error,omitempty"`
}

// summary returns what is kept of the run. Everything in it is masked.
func (j *job) summary(runErr error) result {
	r := result{Commit: j.facts.Commit, Branch: j.facts.Branch, SourceDigest: j.digest}
	if runErr != nil {
		r.Error = j.masker.String(runErr.Error())
		r.Bases = j.declaredBases()
	}
	if j.result == nil {
		return r
	}
	r.Dependencies = j.names().canonicalDependencies(j.result.Dependencies)
	for _, s := range j.result.Steps {
		step := resultStep{ID: s.ID, Status: s.Status, Seconds: s.Elapsed.Seconds()}
		if s.Err != nil {
			step.Error = j.masker.String(s.Err.Error())
		}
		r.Steps = append(r.Steps, step)
	}
	add := func(i drydock.ImageReference) {
		output := outputImage{j.names().canonical(i.Registry), i.Repository, i.Tag, i.Digest}
		if i.Digest != "" && !slices.Contains(r.OutputImages, output) {
			r.OutputImages = append(r.OutputImages, output)
		}
	}
	for _, d := range j.result.Dependencies {
		if d.Image != nil {
			add(*d.Image)
		}
	}
	for _, i := range j.result.Pushed {
		add(i)
	}
	return r
}

func (j *job) declaredBases() *declaredBases {
	if j.declared == nil {
		return nil
	}
	d := &declaredBases{Images: []declaredBase{}, Complete: len(j.declared.Unknown) == 0}
	for _, b := range j.declared.Bases {
		d.Images = append(d.Images, declaredBase{j.masker.String(j.names().canonicalImage(b.Image).String()), b.Kind})
	}
	return d
}

func encodeResult(r result) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		// Strings and numbers that are neither NaN nor infinite can be encoded.
		return []byte(`{"runErrorMessage":"the result can't be encoded"}`)
	}
	return text
}
