package oci

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/azure" // as below
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws" // one of StorageDrivers

	"github.com/drydockhq/drydock"
)

// StorageDrivers are the storage drivers that a server can be set to, by their
// names in distribution's configuration.
var StorageDrivers = []string{"filesystem", "s3", "azure"}

// NewStorage returns storage from settings: the name of the driver under
// "driver", and the driver's parameters by their names, those that are within
// others with a dot, as "credentials.type". Without a driver it is "filesystem";
// root is where that keeps the blobs unless "rootdirectory" says otherwise.
func NewStorage(settings map[string]string, root string) (Storage, error) {
	s := Storage{Driver: "filesystem", Parameters: map[string]any{}, Root: root}
	if d, ok := settings["driver"]; ok {
		s.Driver = d
	}
	if !slices.Contains(StorageDrivers, s.Driver) {
		return s, drydock.Errorf(drydock.Invalid, "there is no storage driver %q", s.Driver).
			WithHint("there are %s; Google Cloud Storage is reached by s3, with its endpoint for that", strings.Join(StorageDrivers, ", "))
	}
	if s.Driver != "filesystem" {
		s.Root = "/"
	}
	for name, value := range settings {
		switch name {
		case "driver":
		case "rootdirectory":
			s.Root = value
		default:
			into, last := s.Parameters, name
			for within, rest, ok := strings.Cut(last, "."); ok; within, rest, ok = strings.Cut(last, ".") {
				next, _ := into[within].(map[string]any)
				if next == nil {
					next = map[string]any{}
					into[within] = next
				}
				into, last = next, rest
			}
			into[last] = parameter(last, value)
		}
	}
	return s, nil
}

// parameter returns the value of a parameter; distribution's drivers differ in
// which of them may be texts.
func parameter(name, value string) any {
	switch name {
	case "max_retries", "maxthreads":
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	case "skipverify":
		if b, err := strconv.ParseBool(value); err == nil {
			return b
		}
	}
	return value
}

// Check opens the storage and looks whether it answers.
func (s Storage) Check(ctx context.Context) error {
	parameters := map[string]any{}
	for name, value := range s.Parameters {
		parameters[name] = value
	}
	parameters["rootdirectory"] = path.Join(s.Root, ".")
	d, err := factory.Create(ctx, s.Driver, parameters)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "opening the storage of registries (%s): %w", s.Driver, err).
			WithHint("see the setting registries.storage")
	}
	var none storagedriver.PathNotFoundError
	if _, err := d.List(ctx, "/"); err != nil && !errors.As(err, &none) {
		return drydock.Errorf(drydock.Unavailable, "reading the storage of registries (%s): %w", s.Driver, err).
			WithHint("see the setting registries.storage")
	}
	return nil
}
