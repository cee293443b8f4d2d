package oci

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	registrymiddleware "github.com/distribution/distribution/v3/registry/middleware/registry"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the default
	"github.com/sirupsen/logrus"
)

// Storage says where blobs are kept. Each registry has a folder of its own.
type Storage struct {
	// Driver is the name of a distribution storage driver; the program must
	// import it unless it is "filesystem", which is the default.
	Driver string
	// Parameters of the driver, as distribution's configuration has them.
	Parameters map[string]any
	// Root is the folder, or the prefix in a bucket, that all registries are below.
	Root string
}

// app is distribution's registry for one registry resource, of which Drydock
// uses blobs and uploads.
type app struct {
	*handlers.App
	content *content
	logger  *logrus.Entry
	dir     string // of its files; empty for a driver that has no folders
}

// middlewareName is how distribution's configuration names our middleware.
const middlewareName = "drydock"

// registerMiddleware tells distribution of our middleware. Its table belongs to
// the process; what differs between registries is handed over as an option.
var registerMiddleware = sync.OnceValue(func() error {
	return registrymiddleware.Register(middlewareName,
		func(_ context.Context, n distribution.Namespace, d storagedriver.StorageDriver, options map[string]any) (distribution.Namespace, error) {
			c, ok := options["content"].(*content)
			if !ok {
				return nil, fmt.Errorf("the middleware %q has no content", middlewareName)
			}
			c.stored, c.driver = n, d
			return &namespace{n, c}, nil
		})
})

// newApp returns the app for a registry; ctx lives as long as the app.
func newApp(ctx context.Context, o Options, c *content, folder string) (a *app, err error) {
	if err := registerMiddleware(); err != nil {
		return nil, fmt.Errorf("configuring distribution: %w", err)
	}
	// NewApp panics on a configuration that it doesn't like.
	defer func() {
		if p := recover(); p != nil {
			a, err = nil, fmt.Errorf("configuring distribution: %v", p)
		}
	}()
	logger := newLogger(o.Log)
	ctx = logContext{ctx, logger}
	a = &app{App: handlers.NewApp(ctx, appConfig(o, c, folder)), content: c, logger: logger}
	if o.Storage.driver() == filesystem {
		a.dir, c.files = filepath.Join(o.Storage.Root, folder), true
	}
	return a, nil
}

// filesystem is the driver that keeps blobs in files.
const filesystem = "filesystem"

func (s Storage) driver() string { return cmp.Or(s.Driver, filesystem) }

func appConfig(o Options, c *content, folder string) *configuration.Configuration {
	parameters := configuration.Parameters{}
	maps.Copy(parameters, o.Storage.Parameters)
	parameters["rootdirectory"] = path.Join(o.Storage.Root, folder)
	config := &configuration.Configuration{
		Version: configuration.CurrentVersion,
		Storage: configuration.Storage{
			o.Storage.driver(): parameters,
			"delete":           {"enabled": true},
			// Clients may be unable to reach what the driver would redirect to.
			"redirect": {"disable": true},
			// Purging starts a goroutine that nothing ends; the sweep does it.
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
		Middleware: map[string][]configuration.Middleware{
			"registry": {{Name: middlewareName, Options: configuration.Parameters{"content": c}}},
		},
	}
	// Upload sessions are signed with it: they go on after a restart.
	config.HTTP.Secret = base64.RawStdEncoding.EncodeToString(o.Secret)
	// As ACR answers: its SDK can't follow an absolute Location.
	config.HTTP.RelativeURLs = true
	// A second app in a process must not register its metrics again.
	config.HTTP.Debug.Prometheus.Enabled = false
	return config
}

// newLogger returns a logger for distribution that passes on what is worth it.
func newLogger(log *slog.Logger) *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	l.SetLevel(logrus.WarnLevel)
	l.AddHook(logHook{log})
	return logrus.NewEntry(l)
}

// logHook passes distribution's log on.
type logHook struct{ log *slog.Logger }

// Levels returns the levels that are passed on.
func (logHook) Levels() []logrus.Level {
	return []logrus.Level{logrus.PanicLevel, logrus.FatalLevel, logrus.ErrorLevel}
}

// Fire logs an entry. Distribution logs every refusal as an error, so that none
// is more than a hint for who looks for one.
func (h logHook) Fire(e *logrus.Entry) error {
	if !strings.HasPrefix(e.Message, "response completed") {
		h.log.Debug(e.Message, "from", "distribution")
	}
	return nil
}

// logContext gives distribution its logger. Without one it logs to the logger of
// the whole process, and the key to set another is in an internal package.
type logContext struct {
	context.Context
	logger *logrus.Entry
}

// Value returns the logger for distribution's key.
func (c logContext) Value(key any) any {
	if t := reflect.TypeOf(key); t != nil && t.String() == "dcontext.loggerKey" {
		return c.logger
	}
	return c.Context.Value(key)
}
