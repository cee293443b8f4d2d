package graph

// Selects reports whether a $filter over some fields, of which a "*" at the end
// says that they are lists, selects an object with some values.
func Selects(filter string, fields []string, values map[string][]string) (bool, error) {
	known := map[string]filterField{}
	for _, name := range fields {
		if plain := name[:len(name)-1]; name[len(name)-1] == '*' {
			known[plain] = filterField{list: true}
		} else {
			known[name] = filterField{}
		}
	}
	f, err := parseFilter(filter, known)
	if err != nil {
		return false, err
	}
	return f.Matches(values), nil
}

// Routes returns the methods and paths of the table, and which of them everybody
// may ask about itself.
func Routes() (all [][2]string, self map[[2]string]bool) {
	self = map[[2]string]bool{}
	for _, rt := range (&Server{}).table() {
		row := [2]string{rt.method, rt.path}
		all = append(all, row)
		self[row] = rt.self
	}
	return all, self
}
