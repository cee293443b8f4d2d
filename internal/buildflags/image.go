package buildflags

import (
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// imageFlags are those that say what image is made.
func (p *parser) imageFlags() {
	b := p.build
	p.value("tag", "t", func(v string) error { return addTag(&b.Tags, v) })
	p.value("label", "", func(v string) error { return addArg(&b.Labels, v) })
	p.value("platform", "", func(v string) error { return addPlatforms(&b.Platforms, v) })
	p.flags.StringVar(&b.Target, "target", "", "")
}

func addTag(tags *[]string, v string) error {
	ref, err := reference.ParseNormalizedNamed(v)
	if err != nil {
		return invalid("%q is not an image name: %v", v, err).
			WithHint("a name is [registry/]repository[:tag] in lower case; a variable in it may be empty")
	}
	if _, ok := ref.(reference.Digested); ok {
		return invalid("%q has a digest, which is known only after the build", v).WithHint("leave the digest out")
	}
	*tags = append(*tags, v)
	return nil
}

// addPlatforms takes one platform or several with commas between them. ACR
// takes them in any case.
func addPlatforms(platforms *[]string, v string) error {
	form := regexp.MustCompile(`^[a-z0-9_.-]+(\([^)]*\))?(/[a-z0-9_.-]+){0,2}$`)
	for name := range strings.SplitSeq(strings.ToLower(v), ",") {
		name = strings.TrimSpace(name)
		if !form.MatchString(name) {
			return invalid("%q is not a platform", v).WithHint("write it as linux/amd64 or linux/arm64/v8")
		}
		*platforms = append(*platforms, name)
	}
	return nil
}
