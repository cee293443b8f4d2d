package drydock

import "context"

// Act is what somebody is about to do.
type Act struct {
	Principal Principal
	Action    string // such as "Microsoft.ContainerRegistry/registries/write"
	Target    string // a resource id, or a path
}

// Witness is told of an act before it is carried out or refused. Its error
// ends the request.
type Witness func(ctx context.Context, a Act) error

type witnessKey struct{}

// WithWitness returns a context whose acts are told to w.
func WithWitness(ctx context.Context, w Witness) context.Context {
	return context.WithValue(ctx, witnessKey{}, w)
}

// Witnessed tells the witness of a context, if it has one, of an act. Services
// call it for what changes something as soon as they know who asks.
func Witnessed(ctx context.Context, a Act) error {
	if w, ok := ctx.Value(witnessKey{}).(Witness); ok {
		return w(ctx, a)
	}
	return nil
}
