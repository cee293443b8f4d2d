package arm

import (
	"maps"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// homeLocation is the location that there is without anything in it.
const homeLocation = "local"

// listLocations lists the home location and those that groups and registries
// are in. Any other word is a location too, as soon as something is there.
func (s *Server) listLocations(req *request) (*answer, error) {
	names := map[string]string{homeLocation: homeLocation} // as they were given
	for _, at := range []struct{ kind, read string }{{groupType, groupRead}, {registryType, registryType + "/read"}} {
		found, err := s.c.Resources.Resources(req.Context(), drydock.ResourceFilter{Below: s.subscriptionScope(), Type: at.kind})
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if plain := plainLocation(r.Location); req.rights.Allow(at.read, r.ID) && names[plain] == "" {
				names[plain] = r.Location
			}
		}
	}
	docs := []any{}
	for _, plain := range slices.Sorted(maps.Keys(names)) {
		docs = append(docs, object{
			"id": s.subscriptionScope().String() + "/locations/" + plain, "name": plain, "type": "Region",
			"displayName": names[plain], "regionalDisplayName": names[plain],
			"metadata": object{"regionType": "Physical", "regionCategory": "Recommended"},
		})
	}
	return listAnswer(docs, "")
}

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
