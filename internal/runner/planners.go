package runner

import (
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// planner returns what makes the plan of the run.
func (j *job) planner(creds []drydock.Credential) (Planner, error) {
	r := &j.request
	values, secrets := split(r.Values)
	in := plan.Input{Set: values, SecretSet: secrets, GlobalImages: j.agent.Images}
	if j.agent.Identities != nil {
		in.Secrets = vaultSecrets{j}
	}
	file := ValuesFile{Name: r.ValuesFile, Content: r.ValuesContent}
	switch r.Kind {
	case drydock.DockerBuildRun:
		return &QuickBuild{Build: j.quickBuild(creds), Values: file, Input: in}, nil
	case drydock.FileTaskRun:
		return &TaskFile{Name: r.TaskFile, Values: file, Input: in, Client: j.agent.Client}, nil
	case drydock.EncodedTaskRun:
		if len(r.TaskContent) == 0 {
			return nil, drydock.Errorf(drydock.Invalid, "the task is empty")
		}
		return &TaskFile{Content: r.TaskContent, Values: file, Input: in, Client: j.agent.Client}, nil
	}
	return nil, drydock.Errorf(drydock.Invalid, "runs of type %q are unknown", r.Kind)
}

// quickBuild returns the build of a DockerBuildRun. Without a name for the image
// nothing is pushed.
func (j *job) quickBuild(creds []drydock.Credential) plan.QuickBuild {
	r := &j.request
	b := plan.QuickBuild{
		Context: ".", Dockerfile: r.Dockerfile, Tags: r.Images, Target: r.Target,
		NoCache: r.NoCache, Push: r.Push && len(r.Images) > 0,
		Platform:   platform(r.OS, r.Architecture, r.Variant),
		Registries: []string{j.agent.LoginServer(j.record.Registry)},
	}
	b.Args, b.SecretArgs = split(r.Arguments)
	for _, c := range creds {
		b.Registries = append(b.Registries, c.Registry)
	}
	return b
}

// platform returns a platform in Docker's form, empty for the machine's own.
func platform(os, architecture, variant string) string {
	if architecture == "" {
		return ""
	}
	if os == "" {
		os = "linux"
	}
	// ACR's names for architectures are those of Go, but for this one.
	architecture = strings.ToLower(architecture)
	if architecture == "x86" {
		architecture = "386"
	}
	text := strings.ToLower(os) + "/" + architecture
	if variant != "" {
		text += "/" + strings.ToLower(variant)
	}
	return text
}

// split returns values as NAME=VALUE, those that are secret apart.
func split(values []drydock.RunValue) (plain, secret []string) {
	for _, v := range values {
		if v.Secret {
			secret = append(secret, v.Name+"="+v.Value)
		} else {
			plain = append(plain, v.Name+"="+v.Value)
		}
	}
	return plain, secret
}
