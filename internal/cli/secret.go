package cli

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"unicode/utf16"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

func vaultSecretTable(item any) output.Row {
	return output.Row{
		cell("Name", item, "name"), cell("Id", item, "id"), cell("ContentType", item, "contentType"),
		cell("Enabled", item, "attributes", "enabled"), cell("Expires", item, "attributes", "expires"),
	}
}

// read reads the secret that the flags name.
func (s *secretFlags) read(c *call) (object, error) {
	if s.id != "" { // the version is in the id
		if _, err := s.open(c); err != nil {
			return nil, err
		}
	}
	return s.do(c, http.MethodGet, "secrets", s.versionPath(), nil)
}

func secretShow() command {
	var s secretFlags
	return command{
		use: "show", short: "Show a secret with its value", flags: s.withVersion,
		example: "  drydock keyvault secret show --vault-name my-secrets -n github-token --query value -o tsv",
		run:     func(c *call) (any, error) { return s.read(c) },
	}
}

func secretDownload() command {
	var s secretFlags
	var file string
	encoding := args.Enum{Choices: []string{"utf-8", "utf-16le", "utf-16be", "ascii", "base64", "hex"}}
	return command{
		use: "download", short: "Write the value of a secret to a file",
		flags: func(f *flags) {
			s.withVersion(f)
			f.StringVarP(&file, "file", "f", "", "the file, which must not be there")
			f.VarP(&encoding, "encoding", "e", "how the text becomes a file (default: as the secret was set)")
			f.need("file")
		},
		run: func(c *call) (any, error) {
			found, err := s.read(c)
			if err != nil {
				return nil, err
			}
			as := encoding.Value
			if as == "" {
				as = text(found, "tags", "file-encoding")
			}
			content, err := decoded(text(found, "value"), as)
			if err != nil {
				return nil, err
			}
			return nil, newFile(file, content)
		},
	}
}

// decoded returns the content of a file that a secret was made of.
func decoded(value, encoding string) (content []byte, err error) {
	switch encoding {
	case "base64":
		content, err = base64.StdEncoding.DecodeString(value)
	case "hex":
		content, err = hex.DecodeString(value)
	case "utf-16le", "utf-16be":
		for _, unit := range utf16.Encode([]rune(value)) {
			pair := []byte{byte(unit), byte(unit >> 8)}
			if encoding == "utf-16be" {
				pair[0], pair[1] = pair[1], pair[0]
			}
			content = append(content, pair...)
		}
	default:
		content = []byte(value)
	}
	if err != nil { // whose text quotes the value
		return nil, drydock.Errorf(drydock.Failed, "the value is not one in the encoding %s", encoding)
	}
	return content, nil
}

// newFile writes a file for its owner alone.
func newFile(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "writing the file: %w", err)
	}
	_, err = f.Write(content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

func secretList() command { return secretLists("list", "List the secrets of a key vault", "/secrets") }

func secretListDeleted() command {
	return secretLists("list-deleted", "List the secrets that were deleted from a key vault", "/deletedsecrets")
}

func secretLists(use, short, path string) command {
	var s secretFlags
	var most int
	return command{
		use: use, short: short, table: vaultSecretTable,
		flags: func(f *flags) {
			s.byVault(f)
			f.IntVar(&most, "maxresults", 0, "how many at most")
			f.need("vault-name")
		},
		run: func(c *call) (any, error) { return s.list(c, path, most) },
	}
}

func secretVersions() command {
	var s secretFlags
	var most int
	return command{
		use: "list-versions", short: "List the versions of a secret", table: vaultSecretTable,
		flags: func(f *flags) {
			s.define(f)
			f.IntVar(&most, "maxresults", 0, "how many at most")
		},
		run: func(c *call) (any, error) {
			if _, err := s.open(c); err != nil {
				return nil, err
			}
			if s.name == "" {
				return nil, missingFlags(c.cmd, []string{"name"})
			}
			return s.list(c, "/secrets/"+escape(s.name)+"/versions", most)
		},
	}
}

func secretDelete() command {
	var s secretFlags
	return command{use: "delete", short: "Delete a secret; it can be recovered for a while", flags: s.define, run: func(c *call) (any, error) {
		return s.request(c, http.MethodDelete, "secrets", "")
	}}
}

func secretShowDeleted() command {
	var s secretFlags
	return command{use: "show-deleted", short: "Show a secret that was deleted, without its value", flags: s.define, run: func(c *call) (any, error) {
		return s.request(c, http.MethodGet, "deletedsecrets", "")
	}}
}

func secretRecover() command {
	var s secretFlags
	return command{use: "recover", short: "Give back a secret that was deleted", flags: s.define, run: func(c *call) (any, error) {
		return s.request(c, http.MethodPost, "deletedsecrets", "/recover")
	}}
}

func secretPurge() command {
	var s secretFlags
	return command{use: "purge", short: "End a deleted secret for good", flags: s.define, run: func(c *call) (any, error) {
		return s.request(c, http.MethodDelete, "deletedsecrets", "")
	}}
}

func secretBackup() command {
	var s secretFlags
	var file string
	return command{
		use: "backup", short: "Write a secret with all its versions to a file, encrypted for its server",
		flags: func(f *flags) {
			s.define(f)
			f.StringVarP(&file, "file", "f", "", "the file, which must not be there")
			f.need("file")
		},
		run: func(c *call) (any, error) {
			found, err := s.do(c, http.MethodPost, "secrets", "/backup", nil)
			if err != nil {
				return nil, err
			}
			content, err := base64.RawURLEncoding.DecodeString(text(found, "value"))
			if err != nil {
				return nil, drydock.Errorf(drydock.Failed, "the server's answer is no backup")
			}
			return nil, newFile(file, content)
		},
	}
}

func secretRestore() command {
	var s secretFlags
	var file string
	return command{
		use: "restore", short: "Make a secret of what backup wrote",
		flags: func(f *flags) {
			s.byVault(f)
			f.StringVarP(&file, "file", "f", "", "the file")
			f.need("vault-name", "file")
		},
		run: func(c *call) (any, error) {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, drydock.Errorf(drydock.Invalid, "reading the backup: %w", err)
			}
			s.name = "restore"
			return s.do(c, http.MethodPost, "secrets", "", object{"value": base64.RawURLEncoding.EncodeToString(content)})
		},
	}
}
