package drydock

import "context"

// SettingStore keeps what a server needs to remember about itself: keys, ids
// made at its first start. Its methods may be called from several goroutines
// and servers.
type SettingStore interface {
	// Setting returns a value; code NotFound when there is none.
	Setting(ctx context.Context, name string) ([]byte, error)

	// AddSetting stores value if there is none yet, and returns the one that is
	// stored: two servers that start together agree.
	AddSetting(ctx context.Context, name string, value []byte) ([]byte, error)

	// PutSetting creates or replaces a value.
	PutSetting(ctx context.Context, name string, value []byte) error
}
