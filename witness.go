package drydock

import "context"

// Act is what somebody is about to do.
type Act struct {
	Principal Principal
	Action    string // such as "Microsoft.ContainerRegistry/registries/write"
	Target    string // a resource id, or a path
	// Aside says that it is beside what the request is for, and Result what became
	// of it; both are set by WitnessedAside.
	Aside  bool
	Result AuditResult
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

// WitnessedAside carries out an act that is beside what a request is for, as that
// somebody is written down who comes for the first time. The witness is told of it
// before, and afterwards of what became of it.
func WitnessedAside(ctx context.Context, a Act, do func() error) error {
	a.Aside = true
	if err := Witnessed(ctx, a); err != nil {
		return err
	}
	err := do()
	if a.Result = AuditSucceeded; err != nil {
		a.Result = AuditFailed
	}
	if told := Witnessed(ctx, a); err == nil {
		err = told
	}
	return err
}
