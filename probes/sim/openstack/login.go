package openstack

import (
	"net/http"
	"slices"
)

// loginRequest is what Keystone v3 accepts to make a token. See the Identity
// API reference, "Password authentication with scoped authorization".
type loginRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					ID, Name, Password string
					Domain             domainRef
				}
			} `json:"password"`
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
			App struct {
				ID, Secret string
			} `json:"application_credential"`
		} `json:"identity"`
		Scope *struct {
			Project *struct {
				ID, Name string
				Domain   domainRef
			} `json:"project"`
			Domain *domainRef `json:"domain"`
			System *struct{}  `json:"system"`
		} `json:"scope"`
	} `json:"auth"`
}

type domainRef struct{ ID, Name string }

func (d domainRef) isDefault() bool { return d.ID == "default" || d.Name == "Default" }

// login makes a token, or says in Keystone's own words why not: it never tells
// a wrong name from a wrong password.
func (s identity) login(r *request) (reply, error) {
	var req loginRequest
	if e := decode(r, &req); e != nil {
		return reply{}, e
	}
	methods := req.Auth.Identity.Methods
	if len(methods) != 1 {
		return reply{}, refuse(http.StatusBadRequest, "Expecting to find methods in identity. The server could not comply with the request since it is either malformed or otherwise incorrect.")
	}
	user := s.whois(r, &req)
	if user == nil {
		return reply{}, errUnauthorized
	}
	if !s.inScope(user, &req) {
		return reply{}, errUnauthorized
	}
	id, g := s.tokens.issue(user, methods, r.now)
	return reply{
		status: http.StatusCreated,
		body:   map[string]any{"token": s.token(g)},
		header: map[string]string{"X-Subject-Token": id},
	}, nil
}

// whois returns the user whom the secret in the request belongs to, or nil.
func (s identity) whois(r *request, req *loginRequest) *User {
	id := &req.Auth.Identity
	switch id.Methods[0] {
	case "password":
		u := &id.Password.User
		found := s.user(func(x *User) bool {
			return u.ID == s.userID(x) || u.ID == "" && u.Name == x.Name && u.Domain.isDefault()
		})
		if found != nil && same(found.Password, u.Password) {
			return found
		}
	case "token":
		if g, valid := s.tokens.check(id.Token.ID, r.now); valid {
			return g.user
		}
	case "application_credential":
		i := slices.IndexFunc(s.cfg.Apps, func(a AppCredential) bool { return a.ID == id.App.ID && same(a.Secret, id.App.Secret) })
		if i >= 0 && req.Auth.Scope == nil { // they carry their own scope
			return s.user(func(x *User) bool { return x.Name == s.cfg.Apps[i].User })
		}
	}
	return nil
}

func (s identity) user(match func(*User) bool) *User {
	for i := range s.cfg.Users {
		if match(&s.cfg.Users[i]) {
			return &s.cfg.Users[i]
		}
	}
	return nil
}

// inScope reports whether the user may have a token for what was asked. This
// cloud has no unscoped, domain or system tokens beyond the own project.
func (s identity) inScope(u *User, req *loginRequest) bool {
	scope := req.Auth.Scope
	if scope == nil {
		return true
	}
	p := scope.Project
	if p == nil {
		return false
	}
	return p.ID == s.projectID(u) || p.ID == "" && p.Name == u.Project && p.Domain.isDefault()
}
