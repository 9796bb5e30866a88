package config

import (
	"maps"
	"net"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// ssh checks who may come in. A door that nobody may use on purpose is open to
// everybody by accident, so without users it is an error.
func (b *builder) ssh(y *sshYAML, dir string) {
	s := &b.file.SSH
	*s = SSH{Listen: "127.0.0.1:2222", MaxSessions: y.MaxSessions, Idle: y.Idle.Duration}
	if y.Listen.name != "" {
		s.Listen = b.address(y.Listen, "ssh.listen", "2222")
	}
	if y.HostKey.name != "" {
		s.HostKey = inDir(dir, y.HostKey.name)
	} else {
		b.after = append(b.after, func() { s.HostKey = inDir(b.file.Store.Dir, "host_ed25519") })
	}
	for _, r := range y.TrustedCA {
		s.TrustedCA = append(s.TrustedCA, b.keyOrFile(r, "ssh.trusted_ca", dir)...)
	}
	seen := make(map[string]place)
	for i := range y.Users {
		if u, ok := b.user(&y.Users[i], dir, len(y.TrustedCA) > 0, seen); ok {
			s.Users = append(s.Users, u)
		}
	}
	if len(y.Users) == 0 {
		why := "no users, so nobody could be told from anybody"
		if len(y.TrustedCA) > 0 {
			why = "no users, and certificates only let in the users that are named"
		}
		b.errs.add(y.At, "ssh", why, "add users: [{name: you, role: admin, keys_file: you.pub}]")
	}
}

// bells are what a screen may ring for.
var bells = []string{"off", "crit", "warn"}

var roles = []fleet.Role{fleet.RoleWall, fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin}

func (b *builder) user(y *userYAML, dir string, certified bool, seen map[string]place) (User, bool) {
	if !b.isName(y.Name, y.At, "user") {
		return User{}, false
	}
	u := User{Name: y.Name.name}
	what := "user " + quote(u.Name)
	if first, ok := seen[u.Name]; ok {
		b.errs.add(y.At, what, "stands twice, first at "+first.String(), "")
		return User{}, false
	}
	seen[u.Name] = y.At
	for _, r := range roles {
		if r.String() == y.Role.name {
			u.Role = r
		}
	}
	switch {
	case y.Role.name == "":
		b.errs.add(y.At, what, "has no role", "role is one of wall viewer operator admin")
	case u.Role == fleet.RoleNone:
		valid := func(yield func(string) bool) {
			for _, r := range roles {
				if !yield(r.String()) {
					return
				}
			}
		}
		b.errs.add(y.Role.at, what, "unknown role "+quote(y.Role.name)+": "+didYouMean(y.Role.name, valid, "valid are wall viewer operator admin"), "")
	}
	before := len(b.errs.List)
	for _, k := range y.Keys {
		u.Keys = append(u.Keys, b.keys(k.at, what, []byte(k.name))...)
	}
	if y.KeysFile.name != "" {
		u.Keys = append(u.Keys, b.keysFile(y.KeysFile, what, dir)...)
	}
	if len(u.Keys) == 0 && !certified && before == len(b.errs.List) {
		b.errs.add(y.At, what, "has no key, and no CA is trusted", "add keys or keys_file")
	}
	if y.Scope != nil {
		u.Scope = b.scope(y.Scope, u.Role, what)
	}
	if u.Bell = y.Bell.name; u.Bell != "" {
		b.oneOf(y.Bell, what+": bell", bells)
	}
	return u, true
}

// scope checks what somebody may write to. A limit that is read and means
// nothing is a door left open: whoever wrote it believes that it holds.
func (b *builder) scope(y *scopeYAML, role fleet.Role, what string) *fleet.Scope {
	what += ": scope"
	switch {
	case len(y.Regions)+len(y.Owners)+len(y.Tenants) == 0:
		b.errs.add(y.At, what, "limits nothing", "name regions, owners or tenants, or leave it out")
	case role < fleet.RoleOperator && role != fleet.RoleNone:
		b.errs.add(y.At, what, "limits what is written, and a "+role.String()+" writes nothing", "leave it out: who may look sees the whole fleet")
	}
	names := func(list []ref) (out []string) {
		for _, r := range list {
			out = append(out, r.name)
		}
		return out
	}
	b.after = append(b.after, func() {
		for _, part := range []struct {
			key  string
			list []ref
		}{{"region", y.Regions}, {"owner", y.Owners}, {"tenant", y.Tenants}} {
			for _, r := range part.list {
				b.scopeOf(part.key, r, what)
			}
		}
	})
	return &fleet.Scope{Regions: names(y.Regions), Owners: names(y.Owners), Tenants: names(y.Tenants)}
}

// scopeOf checks that somebody or something is what a scope names.
func (b *builder) scopeOf(key string, r ref, what string) {
	inv, have := b.file.Inventory, map[string]bool{}
	for i := range inv.Devices {
		have[inv.Devices[i].Carries(key)] = true
	}
	for i := range inv.Clouds {
		if key == "region" {
			have[inv.Clouds[i].Region] = true
		}
	}
	for i := range inv.Regions {
		if key == "region" {
			have[inv.Regions[i].Name] = true
		}
	}
	for i := range inv.Services {
		if key == "owner" {
			have[inv.Services[i].Owner] = true
		}
	}
	if delete(have, ""); !have[r.name] {
		b.errs.add(r.at, what, "nothing has "+key+" "+quote(r.name)+b.orDid(r.name, maps.Keys(have)), "")
	}
}

// keys parses one or more lines of authorized keys.
func (b *builder) keys(at place, what string, text []byte) []ssh.PublicKey {
	var list []ssh.PublicKey
	for len(text) > 0 {
		key, _, options, rest, err := ssh.ParseAuthorizedKey(text)
		if err != nil {
			if len(list) == 0 {
				b.errs.add(at, what, "that is not an SSH public key", "a key looks like `ssh-ed25519 AAAA… comment`")
			}
			return list
		}
		if len(options) > 0 {
			b.errs.add(at, what, "options before a key are not obeyed, so they are refused", "keep the key alone")
		}
		list, text = append(list, key), rest
	}
	if len(list) == 0 {
		b.errs.add(at, what, "that is not an SSH public key", "a key looks like `ssh-ed25519 AAAA… comment`")
	}
	return list
}

func (b *builder) keysFile(r ref, what, dir string) []ssh.PublicKey {
	data, err := b.env.ReadFile(inDir(dir, r.name))
	if err != nil {
		b.errs.add(r.at, what, "keys file "+quote(r.name)+": "+reason(err).Error(), "")
		return nil
	}
	return b.keys(r.at, what, data)
}

// keyOrFile takes a key itself, or the file it stands in.
func (b *builder) keyOrFile(r ref, what, dir string) []ssh.PublicKey {
	if strings.Contains(r.name, " ") {
		return b.keys(r.at, what, []byte(r.name))
	}
	return b.keysFile(r, what, dir)
}

// address checks host:port; without a port it is the protocol's, and without a
// default the port is needed.
func (b *builder) address(r ref, what, port string) string {
	if r.name == "" {
		return ""
	}
	host, p, err := net.SplitHostPort(r.name)
	if err != nil {
		host, p = strings.TrimSuffix(strings.TrimPrefix(r.name, "["), "]"), port
		if strings.Contains(host, ":") && net.ParseIP(host) == nil || port == "" {
			host = ""
		}
	}
	n, err := strconv.Atoi(p)
	if err != nil || n < 0 || n > 65535 || !isHost(host) && !(host == "" && strings.HasPrefix(r.name, ":")) {
		want := "host or host:port"
		if port == "" {
			want = "host:port"
		}
		b.errs.add(r.at, what, quote(r.name)+" is not an address of the form "+want, "")
		return ""
	}
	return net.JoinHostPort(host, p)
}

// isHost reports whether s can be an IP address or a host name (RFC 1123).
func isHost(s string) bool {
	if addr, _, _ := strings.Cut(s, "%"); net.ParseIP(addr) != nil {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	letters := false
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			digit := c >= '0' && c <= '9'
			if !digit && c != '-' && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
			letters = letters || !digit
		}
	}
	return letters // 10.0.0.999 is a mistake, not a name
}
