package drydock

// Secret is an entry of a task's `secrets:`.
type Secret struct {
	ID       string
	KeyVault string // URL of the secret
	ClientID string // of a user-assigned identity; empty selects the system-assigned one
}

// Credential logs a run in to a registry.
type Credential struct {
	Registry string // host, with port if any
	Username string
	Password string
}
