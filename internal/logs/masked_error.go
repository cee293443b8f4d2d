package logs

import (
	"errors"

	"github.com/drydockhq/drydock"
)

// Error returns err with its text masked. errors.Is and errors.As see what err
// wraps; a *drydock.Error or *drydock.ExitError found in it is a masked copy.
// An error of any other type that errors.As finds is the original, so only its
// kind may be used and not its text. Error(nil) is nil.
func (m *Masker) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	masked := m.String(text)
	if masked == text {
		return err
	}
	return &maskedError{text: masked, err: err, masker: m}
}

type maskedError struct {
	text   string
	err    error
	masker *Masker
}

func (e *maskedError) Error() string { return e.text }

func (e *maskedError) Unwrap() error { return e.err }

// As hands out masked copies of the errors whose fields are shown to users.
func (e *maskedError) As(target any) bool {
	switch target := target.(type) {
	case **drydock.Error:
		var found *drydock.Error
		if !errors.As(e.err, &found) {
			return false
		}
		*target = e.copyOf(found)
	case **drydock.ExitError:
		var found *drydock.ExitError
		if !errors.As(e.err, &found) {
			return false
		}
		*target = &drydock.ExitError{Status: found.Status, Reason: e.masker.String(found.Reason)}
	default:
		return false
	}
	return true
}

func (e *maskedError) copyOf(found *drydock.Error) *drydock.Error {
	masked := *found
	masked.Message = e.masker.String(found.Message)
	masked.Hint = e.masker.String(found.Hint)
	masked.File = e.masker.String(found.File)
	masked.Err = e.masker.Error(found.Err)
	return &masked
}
