package arm

// Route is a row of the table of routes.
type Route struct {
	Method, Path, Action string
	Unserved             bool
}

// Routes returns the table.
func Routes() []Route {
	var all []Route
	for _, rt := range (&Server{}).table() {
		all = append(all, Route{rt.method, rt.path, rt.action, rt.unserved})
	}
	return all
}

// MergeTask is mergeTask.
func MergeTask(old, patch map[string]any) map[string]any { return mergeTask(old, patch) }

// ParseObject is parseObject.
func ParseObject(text string) (map[string]any, error) { return parseObject([]byte(text)) }

// SelectedRun reports whether a $filter of runs selects one with some values.
func SelectedRun(filter string, values map[string][]string) (bool, error) {
	f, err := parseFilter(filter, runFilterFields)
	if err != nil {
		return false, err
	}
	return f.matches(values), nil
}
