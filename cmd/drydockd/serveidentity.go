package main

import (
	"encoding/json"
	"net/http"
)

// metadataHandler returns the handler of what clouds answer at for the machine
// itself, for requests that come out of no run: Drydock gives identities to runs,
// not to machines.
func (d *daemon) metadataHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest) // clients try again at most others
		// A client that is gone needs no answer.
		_ = json.NewEncoder(w).Encode(map[string]string{
			"error": "invalid_request", "error_description": "Identity not found: Drydock gives identities to the runs of tasks, and this is none. Sign in with az login --service-principal",
		})
	})
}
