package upstream

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// refusedFor is how long a credential that was refused is not tried again: often
// enough to find that it is good now, not so often that an account is locked.
const refusedFor = time.Hour

// mostRemembered is how much is remembered of what can be found again, so that it
// does not grow for ever.
const mostRemembered = 10_000

// keyring remembers which credentials open which repositories. The zero keyring
// is ready for use.
type keyring struct {
	mu      sync.Mutex
	good    map[string]key // by repository, the last that worked
	refused map[attempt]time.Time
}

// key stands for a credential without holding it.
type key [sha256.Size]byte

type attempt struct {
	repository string
	key        key
}

func keyOf(c drydock.Credential) key {
	return sha256.Sum256([]byte(c.Username + "\x00" + c.Password))
}

// order returns the different credentials for a host and none at all, the one
// that worked last first.
func (k *keyring) order(repository, host string, creds []Credential) []Credential {
	k.mu.Lock()
	defer k.mu.Unlock()
	good, known := k.good[repository]
	var all []Credential
	seen := map[key]bool{}
	for _, c := range append(slices.Clone(creds), Credential{Credential: drydock.Credential{Registry: host}}) {
		id := keyOf(c.Credential)
		if drydock.RegistryHost(c.Registry) != host || seen[id] {
			continue
		}
		seen[id] = true
		if known && id == good {
			all = slices.Insert(all, 0, c)
		} else {
			all = append(all, c)
		}
	}
	return all
}

// tried reports whether a credential was refused not long ago.
func (k *keyring) tried(repository string, c drydock.Credential, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.refused[attempt{repository, keyOf(c)}]
	return ok && now.Sub(at) < refusedFor
}

// accept notes that a credential works.
func (k *keyring) accept(repository string, c drydock.Credential) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.good == nil || len(k.good) >= mostRemembered { // what is forgotten is tried again
		k.good = map[string]key{}
	}
	k.good[repository] = keyOf(c)
	delete(k.refused, attempt{repository, keyOf(c)})
}

// refuse notes that a credential doesn't work.
func (k *keyring) refuse(repository string, c drydock.Credential, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.good[repository] == keyOf(c) {
		delete(k.good, repository)
	}
	if anonymous(c) {
		return // nobody is locked out by asking without
	}
	if k.refused == nil {
		k.refused = map[attempt]time.Time{}
	}
	k.refused[attempt{repository, keyOf(c)}] = now
	for a, at := range k.refused { // of credentials that are no more
		if now.Sub(at) > 2*refusedFor {
			delete(k.refused, a)
		}
	}
}

// withKeys asks with one credential after the other until one is let in.
func (r *Registries) withKeys(ctx context.Context, p place, a asking) (Answer, error) {
	repository := p.server + "/" + p.repository
	var refused []string
	var gone, denied bool
	for _, c := range r.keys.order(repository, p.host, a.query.Credentials) {
		if r.keys.tried(repository, c.Credential, r.Now()) {
			denied, refused = true, append(refused, c.Owner)
			continue
		}
		answer, err := a.with(ctx, c.Credential)
		switch {
		case drydock.CodeOf(err) == drydock.Denied:
			r.keys.refuse(repository, c.Credential, r.Now())
			if denied = true; !anonymous(c.Credential) {
				refused = append(refused, c.Owner)
			}
		case err != nil:
			return Answer{}, err
		case answer.Digest == "": // or hidden from who may not see it
			gone = true
		default:
			r.keys.accept(repository, c.Credential)
			answer.Refused = refused
			return answer, nil
		}
	}
	if denied && !gone {
		return Answer{}, nobody(p, refused)
	}
	return Answer{Refused: refused}, nil
}

func anonymous(c drydock.Credential) bool { return c.Username == "" && c.Password == "" }

// nobody is the error for a repository that lets nobody in.
func nobody(p place, refused []string) error {
	err := drydock.Errorf(drydock.Denied, "%s wants somebody to sign in for %s", p.host, p.repository)
	if len(refused) == 0 {
		err = err.WithHint("give a task that waits for it a credential for %s", p.host)
	} else {
		err = err.WithHint("it refuses the credentials of the tasks that wait for it")
	}
	return &RefusedError{refused, err}
}
