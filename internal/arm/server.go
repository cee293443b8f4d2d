package arm

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Config is what a Server needs.
type Config struct {
	Resources  drydock.ResourceStore
	Runs       drydock.RunStore
	Events     drydock.EventStore
	Principals drydock.PrincipalStore
	Roles      drydock.RoleStore
	Transactor drydock.Transactor // of Resources, Runs and Events
	Vaults     drydock.DeletedVaultStore
	Audit      AuditLog

	Authority Authority
	Sealer    Sealer
	Queue     Queue
	Blobs     Blobs
	Importer  Importer
	Usage     Usage
	Outbox    Outbox
	Instances Instances
	Images    Images
	// ImagesViewer shows people what Images knows.
	ImagesViewer drydock.TaskImagesViewer
	Polls        Polls
	Sources      Sources
	// AdminUsers keeps the passwords of registries' admin users.
	AdminUsers *auth.AdminUsers
	// Tokens keeps the passwords of registries' tokens.
	Tokens *auth.ScopedTokens

	Subscription     string // GUID of the one subscription
	SubscriptionName string
	// RegistryDomain is what follows the name of a registry in its login server,
	// as "azurecr.drydock.test:8443".
	RegistryDomain string
	// VaultDomain is what follows the name of a vault in its host, as
	// "vault.drydock.test:8443".
	VaultDomain string
	// ElsewhereVault reports whether the secrets of the vault with a name, in lower
	// case, are the operator's and kept elsewhere; nil for none.
	ElsewhereVault func(name string) bool
	// InstanceDomain is what follows label and location in the host of a container
	// group, as "azurecontainer.drydock.test".
	InstanceDomain string
	// RegistryHooks is the URL below which registries elsewhere tell of pushes,
	// with a final slash; the name of a registry follows.
	RegistryHooks string
	// RefusedReceiver says what the host of an HTTP URL is that no messages are
	// sent to, as far as that is known before its name is looked up; "" for all
	// others. It may be nil.
	RefusedReceiver func(*url.URL) string
	// Platforms are what runs can be for, as "linux/amd64".
	Platforms []string
	// OnCreate is told of a new registry before its creation is answered; nil for
	// nobody.
	OnCreate func(ctx context.Context, registry drydock.Resource)
	OnDelete []Hook
	// Linger waits while an agent pool that is deleted can still be seen; nil for
	// not at all. An error ends the deletion, which the next start takes up.
	Linger func(context.Context) error
	Log    *slog.Logger
	Now    func() time.Time
	NewID  func() string // returns a fresh GUID
}

// Server is the resource manager. Close ends what it does in the background.
type Server struct {
	c          Config
	routes     []route
	handler    http.Handler
	locks      keyLocks
	operations operations

	background context.Context
	stop       context.CancelCauseFunc
	work       sync.WaitGroup
}

// New returns a Server.
func New(c Config) *Server {
	s := &Server{c: c, operations: operations{open: map[string]*operation{}}}
	s.routes = s.table()
	s.background, s.stop = context.WithCancelCause(context.Background())
	s.handler = c.Authority.Require(auth.Management, http.HandlerFunc(s.serve), s.deny, s.unavailable)
	return s
}

// ServeHTTP answers a request to the management host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close cancels what goes on in the background and waits for it. Deletions that
// it cuts off are taken up by Resume.
func (s *Server) Close() {
	s.stop(drydock.Errorf(drydock.Unavailable, "the server is going down"))
	s.work.Wait()
}

func (s *Server) deny(w http.ResponseWriter, r *http.Request, refused *auth.TokenError) {
	s.writeError(w, r, &apiError{Status: http.StatusUnauthorized, Code: refused.Code, Message: refused.Message})
}

func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.writeError(w, r, err)
}
