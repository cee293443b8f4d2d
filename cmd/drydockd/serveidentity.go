package main

import (
	"encoding/json"
	"net/http"
)

// metadataHandler answers, as clouds do at the address of a machine's metadata,
// requests that come out of no run: Drydock gives identities to runs, not to
// machines.
func (d *daemon) metadataHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// With most other statuses clients try again for minutes.
		writeRefusal(w, http.StatusBadRequest, "invalid_request",
			"Identity not found: Drydock gives identities to the runs of tasks, and this is none. Sign in with az login --service-principal")
	})
}

// writeRefusal answers as the identity endpoints of clouds do.
func writeRefusal(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// A client that is gone needs no answer.
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": message})
}
