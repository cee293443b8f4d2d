package blobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// recordFile describes a blob in its folder. It is replaced in one piece, so a
// blob is there as it was or as it shall be, and never half.
const recordFile = "blob.json"

// record is what recordFile holds.
type record struct {
	Type     Type              `json:"type"`
	ETag     string            `json:"etag"`
	Created  time.Time         `json:"created"`
	Modified time.Time         `json:"modified"`
	Headers  map[string]string `json:"headers,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Parts    []part            `json:"parts"`
	Writes   int               `json:"writes,omitempty"`
	Sealed   bool              `json:"sealed"`
}

// part is a file of a blob. The parts follow each other.
type part struct {
	File  string `json:"file"`
	Size  int64  `json:"size"` // of an append blob: 0 until it is sealed
	Block string `json:"block,omitempty"`
}

func (r *record) size() int64 {
	var n int64
	for _, p := range r.Parts {
		n += p.Size
	}
	return n
}

func (r *record) properties() Properties {
	return Properties{
		Type: r.Type, Size: r.size(), ETag: r.ETag, Created: r.Created, Modified: r.Modified,
		Headers: r.Headers, Metadata: r.Metadata, Writes: r.Writes, Sealed: r.Sealed,
	}
}

// folder returns the folder of a blob, below the store's.
func (k Key) folder() string {
	return filepath.Join(k.Container, strings.ReplaceAll(k.Name, "/", "%2F"))
}

// keyOf returns the key whose folder has these names.
func keyOf(container, folder string) Key {
	return Key{Container: container, Name: strings.ReplaceAll(folder, "%2F", "/")}
}

// read returns the record of a blob.
func (f *Folder) read(key Key) (*record, error) {
	if err := key.check(); err != nil {
		return nil, err
	}
	text, err := f.root.ReadFile(filepath.Join(key.folder(), recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, drydock.Errorf(drydock.NotFound, "there is no blob %s/%s", key.Container, key.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of a blob: %w", err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading the record of blob %s/%s: %w", key.Container, key.Name, err)
	}
	return &r, nil
}

// write replaces the record of a blob.
func (f *Folder) write(key Key, r *record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the record of a blob: %w", err)
	}
	name := filepath.Join(key.folder(), recordFile)
	if err := f.writeFile(name+".new", text); err != nil {
		return fmt.Errorf("writing the record of a blob: %w", err)
	}
	if err := f.root.Rename(name+".new", name); err != nil {
		return fmt.Errorf("writing the record of a blob: %w", err)
	}
	return nil
}

func (f *Folder) writeFile(name string, text []byte) error {
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}
