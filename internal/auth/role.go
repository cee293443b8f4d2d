package auth

import (
	"slices"
	"strings"
)

// Role is a set of actions that is given to a principal on a scope. Ids, names
// and actions are Azure's, so that scripts which name them go on working.
type Role struct {
	ID          string // GUID in lower case
	Name        string
	Description string
	Actions     []string // patterns; "*" stands for any text
	NotActions  []string // what Actions match and is not given
	// DataActions are patterns of what is done with the content of resources, where
	// Actions give nothing.
	DataActions []string
}

// The roles that Drydock itself gives.
const (
	OwnerRole       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	ContributorRole = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	ReaderRole      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	AcrPullRole     = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	AcrPushRole     = "8311e382-0749-4cb8-b61a-304f252e45ec"
	AcrDeleteRole   = "c2f4ef07-c644-48eb-af81-4b1b4947fb11"
)

// The actions of the registries' data plane.
const (
	PullAction   = "Microsoft.ContainerRegistry/registries/pull/read"
	PushAction   = "Microsoft.ContainerRegistry/registries/push/write"
	DeleteAction = "Microsoft.ContainerRegistry/registries/artifacts/delete"
)

// Roles returns all roles, ordered by name.
func Roles() []Role {
	all := append(vaultRoles(), []Role{
		{ID: AcrDeleteRole, Name: "AcrDelete", Description: "acr delete", Actions: []string{DeleteAction}},
		{ID: AcrPullRole, Name: "AcrPull", Description: "acr pull", Actions: []string{PullAction}},
		{ID: AcrPushRole, Name: "AcrPush", Description: "acr push", Actions: []string{PullAction, PushAction}},
		{
			ID: ContributorRole, Name: "Contributor",
			Description: "Manages all resources, but gives no roles to others.",
			Actions:     []string{"*"},
			NotActions: []string{
				"Microsoft.Authorization/*/Delete",
				"Microsoft.Authorization/*/Write",
				"Microsoft.Authorization/elevateAccess/Action",
			},
		},
		{
			ID: OwnerRole, Name: "Owner",
			Description: "Manages all resources and gives roles to others.",
			Actions:     []string{"*"},
		},
		{ID: ReaderRole, Name: "Reader", Description: "Sees all resources, but changes nothing.", Actions: []string{"*/read"}},
	}...)
	slices.SortFunc(all, func(a, b Role) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// RoleByID returns the role with a GUID.
func RoleByID(id string) (Role, bool) {
	for _, r := range Roles() {
		if strings.EqualFold(r.ID, id) {
			return r, true
		}
	}
	return Role{}, false
}

// Allows reports whether the role gives an action.
func (r Role) Allows(action string) bool {
	return matchesAny(r.Actions, action) && !matchesAny(r.NotActions, action)
}

func matchesAny(patterns []string, action string) bool {
	for _, p := range patterns {
		if actionMatches(p, action) {
			return true
		}
	}
	return false
}

// actionMatches compares without regard to case; a "*" matches any text, also
// one with slashes.
func actionMatches(pattern, action string) bool {
	pieces := strings.Split(strings.ToLower(pattern), "*")
	rest, ok := strings.CutPrefix(strings.ToLower(action), pieces[0])
	if !ok {
		return false
	}
	if len(pieces) == 1 {
		return rest == ""
	}
	last := len(pieces) - 1
	for _, piece := range pieces[1:last] {
		i := strings.Index(rest, piece)
		if i < 0 {
			return false
		}
		rest = rest[i+len(piece):]
	}
	return strings.HasSuffix(rest, pieces[last])
}
