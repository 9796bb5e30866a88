package security

// IDs are the ids of all checks, also of those whose facts nobody reads yet.
func IDs() []string {
	var out []string
	for _, list := range [...][]Check{Checks, CloudChecks, Unread} {
		for i := range list {
			out = append(out, list[i].ID)
		}
	}
	return out
}
