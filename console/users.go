package console

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	charmssh "charm.land/ssh"
	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// maxUserName bounds a user name, in bytes.
const maxUserName = 64

// identity is who a session is. What it is found by travels in the permissions
// of the key that signed, because a client may offer one key and sign with
// another: anything noted beside them would belong to the wrong one.
type identity struct {
	User  string
	Role  fleet.Role
	Scope *fleet.Scope // what they may write to; nil: everything
	Key   string       // SHA-256 fingerprint
	PTY   bool         // they may have a terminal
}

// errNobody says that a key belongs to nobody, or not to that name.
var errNobody = errors.New("no such user and key")

// directory knows who may come in. It is immutable; a reload swaps it whole.
type directory struct {
	users   map[string]entry      // by name
	anyName map[string]fleet.Role // by marshalled key
	ca      [][]byte
}

type entry struct {
	role  fleet.Role
	scope *fleet.Scope
	keys  map[string]bool // marshalled
}

func newDirectory(c ServerConfig) *directory {
	d := &directory{users: make(map[string]entry), anyName: make(map[string]fleet.Role)}
	for _, u := range c.Users {
		e := entry{role: u.Role, scope: u.Scope, keys: make(map[string]bool)}
		for _, k := range u.Keys {
			e.keys[string(k.Marshal())] = true
		}
		d.users[u.Name] = e
	}
	for _, u := range c.AnyName {
		for _, k := range u.Keys {
			d.anyName[string(k.Marshal())] = u.Role
		}
	}
	for _, k := range c.TrustedCA {
		d.ca = append(d.ca, k.Marshal())
	}
	return d
}

// find says who comes in as name with the key: name and key must agree, unless
// the key may use any name.
func (d *directory) find(name string, key ssh.PublicKey) (identity, *ssh.Permissions, error) {
	id := identity{User: name, Key: ssh.FingerprintSHA256(key)}
	if cert, ok := key.(*ssh.Certificate); ok {
		return d.certificate(id, cert)
	}
	id.PTY = true
	raw := key.Marshal()
	if u, ok := d.users[name]; ok && u.keys[string(raw)] {
		id.Role, id.Scope = u.role, u.scope
		return id, &ssh.Permissions{}, nil
	}
	if role, ok := d.anyName[string(raw)]; ok {
		id.User, id.Role = cmp.Or(fleet.Clean(name, maxUserName), "anyone"), role
		return id, &ssh.Permissions{}, nil
	}
	return identity{}, nil, errNobody
}

// certificate admits a certificate that a trusted CA signed for a user we
// know. One without principals would be valid for every name, so it is for
// none here, and one without permit-pty gives no terminal, both as in OpenSSH
// (PROTOCOL.certkeys). The other permissions are of things that plumb has for
// nobody: forwarding, an rc file.
func (d *directory) certificate(id identity, cert *ssh.Certificate) (identity, *ssh.Permissions, error) {
	u, ok := d.users[id.User]
	if !ok || cert.CertType != ssh.UserCert || len(cert.ValidPrincipals) == 0 || !d.trusted(cert.SignatureKey) {
		return identity{}, nil, errNobody
	}
	check := ssh.CertChecker{SupportedCriticalOptions: []string{"source-address"}}
	if err := check.CheckCert(id.User, cert); err != nil {
		return identity{}, nil, fmt.Errorf("%w: %w", errNobody, err)
	}
	id.Role, id.Scope = u.role, u.scope
	_, id.PTY = cert.Extensions["permit-pty"]
	return id, &ssh.Permissions{CriticalOptions: cert.CriticalOptions}, nil
}

func (d *directory) trusted(ca ssh.PublicKey) bool {
	raw := ca.Marshal()
	for _, k := range d.ca {
		if bytes.Equal(k, raw) {
			return true
		}
	}
	return false
}

// extRaw is the name under which the key or certificate that signed stands,
// marshalled, in a connection's permissions.
const extRaw = "key@plumb"

// admit is the server's public key handler.
func (s *Server) admit(ctx charmssh.Context, key charmssh.PublicKey) bool {
	_, perms, err := s.directory.Load().find(ctx.User(), key)
	if err != nil {
		return false
	}
	perms.Extensions = map[string]string{extRaw: string(key.Marshal())}
	ctx.Permissions().Permissions = perms
	return true
}

// present says who a connection's user is now, by the key that signed and by
// the directory as it is: a role may have changed, a user may be gone, and a
// certificate may have run out since.
func (s *Server) present(user string, p *ssh.Permissions) (identity, error) {
	if p == nil {
		return identity{}, errNobody
	}
	return s.directory.Load().findRaw(user, p.Extensions[extRaw])
}

// mayPTY reports whether a connection's user may have a terminal.
func (s *Server) mayPTY(ctx charmssh.Context, _ charmssh.Pty) bool {
	id, err := s.present(ctx.User(), ctx.Permissions().Permissions)
	return err == nil && id.PTY
}

func (d *directory) findRaw(user, raw string) (identity, error) {
	key, err := ssh.ParsePublicKey([]byte(raw))
	if err != nil {
		return identity{}, errNobody
	}
	id, _, err := d.find(user, key)
	return id, err
}

// isAdmin reports whether the name is an admin's.
func (d *directory) isAdmin(name string) bool { return d.users[name].role >= fleet.RoleAdmin }
