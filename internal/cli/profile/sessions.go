package profile

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// sessionFile is the name of the file about the people who are signed in to a
// cloud.
func sessionFile(cloud string) string {
	return "session-" + base64.RawURLEncoding.EncodeToString([]byte(cloud)) + ".json"
}

// Session returns what KeepSession kept of a cloud; nil for nothing.
func (s Store) Session(cloud string) ([]byte, error) {
	var text json.RawMessage
	err := s.read(sessionFile(cloud), &text)
	return text, err
}

// KeepSession keeps a JSON document about the people who are signed in to a
// cloud: it lets in whoever has it.
func (s Store) KeepSession(cloud string, text []byte) error {
	return s.write(sessionFile(cloud), json.RawMessage(text))
}

// DropSession forgets who is signed in to a cloud.
func (s Store) DropSession(cloud string) error {
	err := os.Remove(filepath.Join(s.Dir, sessionFile(cloud)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
