package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the one driver that is used
	"github.com/sirupsen/logrus"
)

// app is distribution with a log of its own.
type app struct {
	*handlers.App
	logger *logrus.Entry
}

// newApp returns a registry that keeps its content in dir and logs to w, which
// may be nil. ctx lives as long as the registry.
func newApp(ctx context.Context, dir string, w io.Writer) (a *app, err error) {
	// NewApp panics on a configuration that it doesn't like.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("configuring distribution: %v", p)
		}
	}()
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	if w != nil {
		logger.SetOutput(w)
	}
	entry := logrus.NewEntry(logger)
	return &app{App: handlers.NewApp(logContext{ctx, entry}, appConfig(dir)), logger: entry}, nil
}

func appConfig(dir string) *configuration.Configuration {
	config := &configuration.Configuration{
		Version: configuration.CurrentVersion,
		Storage: configuration.Storage{
			"filesystem": {"rootdirectory": dir},
			"delete":     {"enabled": true},
			// Purging starts a goroutine that nothing ends.
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	config.Catalog.MaxEntries = 1000
	config.Tags.MaxTags = 1000
	// A second registry in a process must not register its metrics again.
	config.HTTP.Debug.Prometheus.Enabled = false
	return config
}

// ServeHTTP answers a request, with the app's log.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.App.ServeHTTP(w, r.WithContext(logContext{r.Context(), a.logger}))
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
