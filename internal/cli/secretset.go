package cli

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"time"
	"unicode/utf16"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// secretSettings are what can be set of a secret beside its value.
type secretSettings struct {
	description, expires, notBefore string
	disabled, enabled               args.Bool
	tags                            args.List
}

func (s *secretSettings) define(f *flags) {
	f.StringVar(&s.expires, "expires", "", "time from which on it should not be used, as 2030-12-31T00:00:00Z")
	f.StringVar(&s.notBefore, "not-before", "", "time before which it should not be used")
	tagsFlag(f, &s.tags)
}

// body returns what the flags set.
func (s *secretSettings) body(c *call) (object, error) {
	attributes := object{}
	for key, text := range map[string]string{"exp": s.expires, "nbf": s.notBefore} {
		if text == "" {
			continue
		}
		t, err := utcTime(text)
		if err != nil {
			return nil, usageError(c.cmd, err)
		}
		attributes[key] = t.Unix()
	}
	if s.disabled.Given {
		attributes["enabled"] = !s.disabled.Value
	}
	if s.enabled.Given {
		attributes["enabled"] = s.enabled.Value
	}
	return with("contentType", s.description, "attributes", attributes, "tags", tagsOf(s.tags)), nil
}

// utcTime reads a time in UTC.
func utcTime(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04Z", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, drydock.Errorf(drydock.Invalid, "%q is not a time such as 2030-12-31T00:00:00Z", text)
}

func secretSet() command {
	var s secretFlags
	var set secretSettings
	var value, file string
	encoding := args.Enum{Choices: []string{"utf-8", "utf-16le", "utf-16be", "ascii", "base64", "hex"}}
	return command{
		use: "set", short: "Set a secret, which gets a new version", table: nil,
		example: "  drydock keyvault secret set --vault-name my-secrets -n github-token --value @token.txt",
		flags: func(f *flags) {
			s.byVault(f)
			f.StringVarP(&s.name, "name", "n", "", "name of the secret")
			f.StringVar(&s.id, "id", "", "id of the secret, instead of the names")
			f.StringVar(&value, "value", "", "value; @FILE reads it from a file")
			f.StringVarP(&file, "file", "f", "", "file with the value, instead of --value")
			f.VarP(&encoding, "encoding", "e", "how the file becomes a text (default utf-8)")
			f.StringVar(&set.description, "description", "", "what it is, such as a content type")
			f.StringVar(&set.description, "content-type", "", "the same as --description")
			set.disabled.Var(f.FlagSet, "disabled", "create it in disabled state")
			set.define(f)
		},
		run: func(c *call) (any, error) {
			body, err := set.body(c)
			if err != nil {
				return nil, err
			}
			given := c.cmd.Flags().Changed("value")
			if given == (file != "") {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "one of --value and --file is needed"))
			}
			tags, _ := body["tags"].(object)
			if tags == nil {
				tags = object{}
			}
			if encoding.Value == "" {
				encoding.Value = "utf-8"
			}
			if file != "" {
				if value, err = encoded(file, encoding.Value); err != nil {
					return nil, err
				}
			}
			tags["file-encoding"] = encoding.Value
			body["tags"], body["value"] = tags, value
			return s.do(c, http.MethodPut, "secrets", "", body)
		},
	}
}

// encoded reads a file as the text of a secret.
func encoded(file, encoding string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "reading the value: %w", err)
	}
	switch encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(content), nil
	case "hex":
		return hex.EncodeToString(content), nil
	case "utf-16le", "utf-16be":
		return fromUTF16(content, encoding == "utf-16be")
	}
	return string(content), nil
}

func fromUTF16(content []byte, big bool) (string, error) {
	if len(content)%2 != 0 {
		return "", drydock.Errorf(drydock.Invalid, "the file is not UTF-16: it has an odd number of bytes")
	}
	units := make([]uint16, len(content)/2)
	for i := range units {
		low, high := content[2*i], content[2*i+1]
		if big {
			low, high = high, low
		}
		units[i] = uint16(low) | uint16(high)<<8
	}
	return string(utf16.Decode(units)), nil
}

func secretAttributes() command {
	var s secretFlags
	var set secretSettings
	return command{
		use: "set-attributes", short: "Change what is known of a secret, but not its value",
		flags: func(f *flags) {
			s.withVersion(f)
			f.StringVar(&set.description, "content-type", "", "what it is")
			set.enabled.Var(f.FlagSet, "enabled", "whether it can be read")
			set.define(f)
		},
		run: func(c *call) (any, error) {
			body, err := set.body(c)
			if err != nil {
				return nil, err
			}
			if s.id != "" { // the version is in the id
				if _, err := s.open(c); err != nil {
					return nil, err
				}
			}
			return s.do(c, http.MethodPatch, "secrets", s.versionPath(), body)
		},
	}
}
