package drydock

// BuildSurvey is what can be told of the builds of a task before they are
// carried out.
type BuildSurvey struct {
	Bases   []SurveyedBase // of all builds, ordered by their names
	Outputs []ImageName    // that are pushed, ordered
	// Unknown says in words of which builds nothing could be told, and why.
	Unknown []string
}

// SurveyedBase is an image that a build would be made from.
type SurveyedBase struct {
	BaseImage // the digest is what its registry says the tag points at
	// Err is why the digest isn't known: with code NotFound there is no such tag,
	// with code Denied the task may not read it. It is nil also for those that
	// nobody was asked about.
	Err error
}
