package drydock

// Plan is a task made ready to run: aliases and templates resolved, defaults
// applied, validated, every When naming existing steps without a cycle. It can
// contain secret values, so it lives in memory and is never stored or logged.
type Plan struct {
	Version  string // of the task language
	Steps    []Step // in the order of the file
	Networks []Network
	Volumes  []Volume
	// SecretValues are the values that must never appear in a log, an error or
	// a result.
	SecretValues []string
	// Warnings are sentences about what is probably not meant, as a value that
	// the task uses and nobody gave.
	Warnings []string
}

// Step returns the step with the given id, or nil.
func (p *Plan) Step(id string) *Step {
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}
