package drydock

import "context"

// Transactor is a store that can write several things together.
type Transactor interface {
	// Atomically calls f. What the store's methods write with the context that
	// f gets is written together if f returns nil, and not at all otherwise;
	// what they read includes it. All other writers wait meanwhile, so f does
	// nothing slow; and f may be called again if the store was busy. Calls
	// within f join the transaction.
	Atomically(ctx context.Context, f func(ctx context.Context) error) error
}
