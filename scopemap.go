package drydock

import "strings"

// ScopeMap says what the tokens of a registry that have it may do there.
type ScopeMap struct {
	Name        string
	Description string
	Actions     []string // of the form that ParseScopeAction reads
}

// ScopeAction is one thing that a scope map allows.
type ScopeAction struct {
	// Repositories is the name of a repository, or what the names of some begin
	// with and a final "*"; "*" alone is all of them.
	Repositories string
	Verb         string // one of ScopeVerbs
}

// The verbs of scope maps, as ACR has them.
const (
	ReadContent   = "content/read"
	WriteContent  = "content/write"
	DeleteContent = "content/delete"
	ReadMetadata  = "metadata/read"
	WriteMetadata = "metadata/write"
)

// ScopeVerbs returns the verbs, in alphabetical order.
func ScopeVerbs() []string {
	return []string{DeleteContent, ReadContent, WriteContent, ReadMetadata, WriteMetadata}
}

// ParseScopeAction reads an action such as "repositories/team/*/content/read".
// One that is none is an error with code Invalid.
func ParseScopeAction(text string) (ScopeAction, error) {
	rest, ok := strings.CutPrefix(text, "repositories/")
	if strings.HasPrefix(text, "gateway/") {
		return ScopeAction{}, Errorf(Invalid, "the action %q is one of gateways, and there are no connected registries here", text)
	}
	for _, verb := range ScopeVerbs() {
		name, found := strings.CutSuffix(rest, "/"+verb)
		if !ok || !found {
			continue
		}
		// A name that is cut off can go on with a letter.
		whole := name
		if begin, wild := strings.CutSuffix(name, "*"); wild {
			whole = begin + "a"
		}
		if err := CheckRepositoryName(whole); err != nil {
			return ScopeAction{}, Errorf(Invalid, "the action %q names no repository", text).
				WithHint("a name is in lower case, and a * can only be its end")
		}
		return ScopeAction{Repositories: name, Verb: verb}, nil
	}
	return ScopeAction{}, Errorf(Invalid, "%q is no action of a scope map", text).
		WithHint("actions have the form repositories/NAME/VERB, where VERB is one of %s", strings.Join(ScopeVerbs(), ", "))
}

// Covers reports whether the action is about a repository.
func (a ScopeAction) Covers(repository string) bool {
	if begin, wild := strings.CutSuffix(a.Repositories, "*"); wild {
		return strings.HasPrefix(repository, begin)
	}
	return repository == a.Repositories
}

// All reports whether the action is about all repositories.
func (a ScopeAction) All() bool { return a.Repositories == "*" }

// SystemScopeMaps returns the scope maps that each registry has, as ACR's are.
func SystemScopeMaps() []ScopeMap {
	on := func(verbs ...string) []string {
		for i, verb := range verbs {
			verbs[i] = "repositories/*/" + verb
		}
		return verbs
	}
	return []ScopeMap{
		{"_repositories_admin", "Can perform all read, write and delete operations on the registry", on(ReadMetadata, WriteMetadata, ReadContent, WriteContent, DeleteContent)},
		{"_repositories_pull", "Can pull any repository of the registry", on(ReadContent)},
		{"_repositories_pull_metadata_read", "Can perform all read operations on the registry", on(ReadContent, ReadMetadata)},
		{"_repositories_push", "Can push to any repository of the registry", on(ReadContent, WriteContent)},
		{"_repositories_push_metadata_write", "Can perform all read and write operations on the registry", on(ReadMetadata, WriteMetadata, ReadContent, WriteContent)},
	}
}

// SystemScopeMap returns the one of SystemScopeMaps with a name, compared
// without regard to case.
func SystemScopeMap(name string) (ScopeMap, bool) {
	for _, m := range SystemScopeMaps() {
		if strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return ScopeMap{}, false
}
