package archtest_test

import (
	"fmt"
	"slices"
	"strings"
)

// module is the import path of the root package.
const module = "github.com/drydockhq/drydock"

// pkg is a package as `go list -json` prints it.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// check returns a sentence for each import that breaks the rules, each package
// without a row and each row without a package.
func check(r rules, pkgs []pkg) []string {
	var broken []string
	seen := map[string]bool{}
	for _, p := range pkgs {
		name := relative(p.ImportPath)
		seen[name] = true
		rule, ok := r.packages[name]
		if !ok {
			broken = append(broken, fmt.Sprintf("%s has no row in the package table", name))
			continue
		}
		for _, path := range p.Imports {
			broken = append(broken, r.breach(name, rule, path, false)...)
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			broken = append(broken, r.breach(name, rule, path, true)...)
		}
	}
	for name := range r.packages {
		if !seen[name] {
			broken = append(broken, fmt.Sprintf("the package table has a row for %s, which does not exist", name))
		}
	}
	slices.Sort(broken)
	return slices.Compact(broken)
}

// breach says how package name breaks the rules by importing path, in its code
// or only in its tests.
func (r rules) breach(name string, rule pkgRule, path string, inTest bool) []string {
	if path == module || strings.HasPrefix(path, module+"/") {
		target := relative(path)
		allowed := target == name || slices.Contains(rule.imports, target) ||
			inTest && r.packages[target].forTests
		if !allowed {
			return []string{fmt.Sprintf("%s imports %s", name, target)}
		}
		return nil
	}
	var broken []string
	if name == "." && !inTest && isModule(path) {
		broken = append(broken, "the root imports "+path)
	}
	for prefix, places := range r.modules {
		if within(path, prefix) && !slices.ContainsFunc(places, func(p string) bool { return matches(name, p) }) {
			broken = append(broken, fmt.Sprintf("%s imports %s", name, path))
		}
	}
	return broken
}

// isModule reports whether path is outside the standard library.
func isModule(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// matches reports whether a package is named by pattern, which may end in "/...".
func matches(name, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return within(name, prefix)
	}
	return name == pattern
}

func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
