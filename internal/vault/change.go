package vault

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// The bounds are Key Vault's.
const (
	maxValue       = 25 << 10 // bytes of a value
	maxTags        = 15
	maxTag         = 256 // characters of a tag's name, and of its value
	maxContentType = 255
)

var secretName = regexp.MustCompile(`^[0-9a-zA-Z-]{1,127}$`)

// checkName checks the name of a secret; an empty one stands for the vault.
func (s *Service) checkName(name string) error {
	if name != "" && !secretName.MatchString(name) {
		return badParameter("The request URI contains an invalid name: %s. It has 1 to 127 letters, digits and '-'.", shorten(name))
	}
	return nil
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > 140 {
		return string(runes[:140]) + "…"
	}
	return s
}

// apply changes a version, but not its value.
func (c *Change) apply(v *drydock.SecretVersion) error {
	if c.ContentType != nil {
		if utf8.RuneCountInString(*c.ContentType) > maxContentType {
			return badParameter("The content type has more than %d characters.", maxContentType)
		}
		v.ContentType = *c.ContentType
	}
	if c.Tags != nil {
		if len(c.Tags) > maxTags {
			return badParameter("The secret has %d tags; %d are the most.", len(c.Tags), maxTags)
		}
		for name, value := range c.Tags {
			if name == "" || utf8.RuneCountInString(name) > maxTag || utf8.RuneCountInString(value) > maxTag {
				return badParameter("A tag has a name of 1 to %d characters and a value of at most as many.", maxTag)
			}
		}
		v.Tags = c.Tags
	}
	if c.Enabled != nil {
		v.Disabled = !*c.Enabled
	}
	if c.NotBefore != nil {
		v.NotBefore = *c.NotBefore
	}
	if c.Expires != nil {
		v.Expires = *c.Expires
	}
	if !v.NotBefore.IsZero() && !v.Expires.IsZero() && !v.NotBefore.Before(v.Expires) {
		return badParameter("The not-before time of the secret must be before its expiry.")
	}
	return nil
}

// sameName compares names of vaults and secrets.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
