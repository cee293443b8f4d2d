package plan

import "context"

// RenderText returns what the template in a text gives, as in the tags of a
// quick build. Of in it uses Values, Set, SecretSet and Facts.
func RenderText(ctx context.Context, in Input, text string) (string, error) {
	m := &maker{in: in}
	values, err := m.values()
	if err != nil {
		return "", err
	}
	if m.data, err = templateData(in.Facts, values); err != nil {
		return "", err
	}
	rendered, err := m.renderText(ctx, text)
	if err != nil {
		return "", m.report(err)
	}
	return rendered, nil
}
