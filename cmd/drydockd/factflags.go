package main

import (
	"runtime"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
)

// factFlags say what a task may ask of its run.
type factFlags struct {
	id          string
	name        string
	commit      string
	repository  string
	branch      string
	gitTag      string
	triggeredBy string
	registry    string
	osVersion   string
	homevol     string
}

func (f *factFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.id, "id", "", "`ID` of the run (default: a new one)")
	flags.StringVar(&f.name, "name", "", "`NAME` of the task")
	flags.StringVarP(&f.commit, "commit", "c", "", "`COMMIT` that the run is for (default: that of the fetched source)")
	flags.StringVar(&f.repository, "repository", "", "`REPOSITORY` that the run is for")
	flags.StringVar(&f.branch, "branch", "", "git `BRANCH` (default: that of the fetched source)")
	flags.StringVar(&f.gitTag, "git-tag", "", "git `TAG` that the run is for")
	flags.StringVar(&f.triggeredBy, "triggered-by", "", "`CAUSE` of the run")
	flags.StringVarP(&f.registry, "registry", "r", "", "login server `HOST` of the run's registry, as {{.Run.Registry}}")
	flags.StringVar(&f.osVersion, "os-version", "", "`VERSION` of the operating system")
	flags.StringVar(&f.homevol, "homevol", "", "`NAME` of the shared volume, as {{.Run.SharedVolume}}")
}

// facts returns the facts of a run that begins now.
func (f *factFlags) facts(p *program) drydock.RunFacts {
	id := f.id
	if id == "" {
		id = p.newID()
	}
	return drydock.RunFacts{
		ID:           id,
		TaskName:     f.name,
		Registry:     f.registry,
		Date:         p.now().UTC(),
		SharedVolume: f.homevol,
		OS:           runtime.GOOS,
		OSVersion:    f.osVersion,
		Architecture: runtime.GOARCH,
		Commit:       f.commit,
		Branch:       f.branch,
		Repository:   f.repository,
		GitTag:       f.gitTag,
		TriggeredBy:  f.triggeredBy,
	}
}
