package sourcewatch

import (
	"encoding/json"
	"fmt"

	"github.com/drydockhq/drydock"
)

// secrets are what is secret of a watch.
type secrets struct {
	Token string `json:"token,omitempty"` // of the git host
	Hook  string `json:"hook"`            // of the webhook
}

func (w *Watcher) seal(id string, s secrets) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("sealing a token: %w", err)
	}
	return w.Sealer.Seal(plain, drydock.SourceWatchPurpose(id)), nil
}

func (w *Watcher) open(watch drydock.SourceWatch) (secrets, error) {
	var s secrets
	plain, err := w.Sealer.Open(watch.Secrets, drydock.SourceWatchPurpose(watch.ID))
	if err == nil {
		err = json.Unmarshal(plain, &s)
	}
	if err != nil {
		return s, fmt.Errorf("reading the token of the source trigger %q: %w", watch.Trigger, err)
	}
	return s, nil
}
