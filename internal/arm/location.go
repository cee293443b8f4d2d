package arm

import (
	"strings"
)

// takeLocation takes the location out of a client's document. One that differs
// from what is stored is refused, as by Azure.
func (st *stored) takeLocation(doc object, fallback string) error {
	location := text(doc, "location")
	if location == "" {
		location = st.Location
	}
	if location == "" {
		location = fallback
	}
	if location == "" {
		return badRequest("LocationRequired", "The location property is required for this definition.").about("location")
	}
	if st.exists() && plainLocation(location) != plainLocation(st.Location) {
		code := "InvalidResourceLocation"
		if st.ID.Namespace == "" {
			code = "InvalidResourceGroupLocation"
		}
		return conflict(code, "'%s' already exists in location '%s'. A resource with the same name cannot be created in location '%s'.",
			st.ID.Name(), st.Location, shorten(location)).about("location")
	}
	if !st.exists() {
		st.Location = location
	}
	return nil
}

// plainLocation makes "East US" and "eastus" equal.
func plainLocation(l string) string { return strings.ToLower(strings.ReplaceAll(l, " ", "")) }
