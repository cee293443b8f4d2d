package sourcetar

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/drydockhq/drydock"
)

const ignoreFile = ".dockerignore"

// ignorer says what .dockerignore leaves out.
type ignorer struct {
	patterns *patternmatcher.PatternMatcher
}

// decision is what was decided on an entry; those below it go by it.
type decision struct {
	out  bool
	info patternmatcher.MatchInfo
}

// ignore reads the file that goes with the source's Dockerfile: the one of that
// name with .dockerignore at its end, beside it, or the folder's.
func (s Source) ignore(root *os.Root) (*ignorer, error) {
	if s.Dockerfile != "" {
		f, err := os.Open(s.Dockerfile + ignoreFile)
		if err == nil {
			return readIgnore(f, s.Dockerfile+ignoreFile)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, drydock.Errorf(drydock.Invalid, "opening the ignore file of the Dockerfile: %w", err)
		}
	}
	f, err := root.Open(ignoreFile)
	if errors.Is(err, fs.ErrNotExist) {
		return &ignorer{}, nil
	}
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "opening the source's %s: %w", ignoreFile, err)
	}
	return readIgnore(f, ignoreFile)
}

func readIgnore(f io.ReadCloser, name string) (*ignorer, error) {
	defer f.Close()
	lines, err := ignorefile.ReadAll(f)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading %s: %w", name, err)
	}
	patterns, err := patternmatcher.New(lines)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading %s: %w", name, err)
	}
	return &ignorer{patterns}, nil
}

// decide says whether an entry is left out, given what was decided on its
// folder.
func (i *ignorer) decide(name string, parent *decision) (*decision, error) {
	if i.patterns == nil {
		return &decision{}, nil
	}
	var above patternmatcher.MatchInfo
	if parent != nil {
		above = parent.info
	}
	out, info, err := i.patterns.MatchesUsingParentResults(filepath.FromSlash(name), above)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "matching %q with %s: %w", name, ignoreFile, err)
	}
	return &decision{out, info}, nil
}

// mayKeepBelow reports whether an exception, as "!docs/*.md", can be about
// something in a folder.
func (i *ignorer) mayKeepBelow(folder string) bool {
	for _, p := range i.patterns.Patterns() {
		if !p.Exclusion() {
			continue
		}
		text := filepath.ToSlash(p.String()) // without the "!"
		if at := strings.IndexAny(text, `*?[\`); at >= 0 {
			text = text[:at]
			if strings.HasPrefix(folder+"/", text) {
				return true
			}
		}
		if strings.HasPrefix(text, folder+"/") {
			return true
		}
	}
	return false
}
