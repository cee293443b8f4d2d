package drydock

import "context"

// Act is what somebody is about to do or, with a Result, has done.
type Act struct {
	Principal Principal
	Action    string // such as "Microsoft.ContainerRegistry/registries/write"
	Target    string // a resource id, or a path
	// Aside says that it is beside what the request is for, and Result what became
	// of it; both are set by WitnessedAside.
	Aside  bool
	Result AuditResult
}

// Witness is told of an act before it is carried out or refused; its error then ends
// the request. Of an act aside it is told again afterwards, with the Result. Its error
// then changes nothing, so it says itself what is wrong with the log.
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
// before, which is required, and afterwards of what became of it. The error is that
// of the witness before or of the act, never of the witness afterwards: what was done
// is not answered as failed.
func WitnessedAside(ctx context.Context, a Act, do func() error) error {
	a.Aside = true
	if err := Witnessed(ctx, a); err != nil {
		return err
	}
	err := do()
	if a.Result = AuditSucceeded; err != nil {
		a.Result = AuditFailed
	}
	_ = Witnessed(ctx, a) // the record that it has begun is there
	return err
}
