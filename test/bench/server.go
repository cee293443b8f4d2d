package main

import (
	"context"
	"fmt"
	"time"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// slots is how many runs the server carries out at a time.
const slots = 4

// server is a `drydockd serve` with a registry, and a client that has signed in.
type server struct {
	*serve.Server
	client *serve.Client
	azure  *serve.Azure
	login  string // of the registry contoso
}

// openServer starts a server that goes with the lab.
func (l *lab) openServer(ctx context.Context) (*server, error) {
	s := &server{}
	if err := images.Push(ctx, l.public.Host, images.Bash); err != nil {
		return nil, err
	}
	err := l.with(ctx, func(t serve.TB) {
		s.Server = serve.Start(t, serve.Options{
			Program: l.drydockd, Domain: serve.LocalDomain, Args: []string{fmt.Sprint("--runs-slots=", slots)},
		})
		s.client = s.Server.Client(serve.Client{})
		s.azure = s.Azure()
		s.login = s.azure.CreateRegistry("contoso")
	})
	return s, err
}

// serverStart measures how soon a server serves, and its size when it has
// nothing to do.
func (l *lab) serverStart() comparison {
	return comparison{title: "drydockd serve: start to ready", noRatio: true, contenders: []contender{{
		rows: []row{{name: "first start, with keys and certificates"}, {name: "later start"}, {name: "size at rest", unit: "MB"}},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			var first, again, size float64
			err := l.with(ctx, func(t serve.TB) {
				begun := time.Now()
				s := serve.Start(t, serve.Options{Program: l.drydockd})
				first = milliseconds(time.Since(begun))
				if err := s.Stop(); err != nil {
					t.Fatal(err)
				}
				begun = time.Now()
				s.Restart()
				again = milliseconds(time.Since(begun))
				const kibi, mega = 1024, 1e6
				size = float64(s.Memory()) * kibi / mega
				if err := s.Stop(); err != nil {
					t.Fatal(err)
				}
			})
			return []float64{first, again, size}, err
		},
	}}}
}
