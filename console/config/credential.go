package config

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/probes"
)

// Credential is how plumb introduces itself to targets. Which fields count
// depends on the wire that uses it.
type Credential struct {
	Name     string
	Username string
	Password Secret

	Version      string // SNMP: "2c" or "3"; "" for other wires
	Community    Secret
	Auth, Priv   string // SNMPv3: SHA-256, AES ...
	AuthPassword Secret
	PrivPassword Secret
	Context      string

	Cipher int // IPMI cipher suite; 0: the best of the BMC's

	Project, UserDomain, ProjectDomain string // OpenStack

	// Revision is a keyed digest of the credential, of where its secrets are
	// and of when those files were written: within this process it changes
	// when the credential does, and it tells nothing.
	Revision string
}

// Secret fetches the credential's main secret: its community, or its password.
func (c Credential) Secret(ctx context.Context) (string, error) {
	if c.Community.Set() {
		return c.Community.Get(ctx)
	}
	return c.Password.Get(ctx)
}

// Probe is the credential as probes take it.
func (c Credential) Probe() probes.Credential {
	fetch := func(s Secret) func(context.Context) (string, error) {
		if !s.Set() {
			return nil
		}
		return s.Get
	}
	return probes.Credential{
		Username: c.Username, Password: c.Password.Get,
		Version: c.Version, Community: fetch(c.Community), Context: c.Context,
		Auth: c.Auth, AuthPassword: fetch(c.AuthPassword), Priv: c.Priv, PrivPassword: fetch(c.PrivPassword),
		Cipher: c.Cipher, Project: c.Project, UserDomain: c.UserDomain, ProjectDomain: c.ProjectDomain, Revision: c.Revision,
	}
}

// revisionKey keeps anyone who sees a Revision from trying passwords on it.
var revisionKey = []byte(rand.Text())

// Suites of SNMPv3 by their usual names.
var (
	authNames = []string{"MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"}
	privNames = []string{"DES", "AES", "AES-192", "AES-256", "AES-192-C", "AES-256-C"}
)

// credential checks one credential of the file.
func (b *builder) credential(name string, y *credentialYAML, dir string) Credential {
	c := Credential{
		Name: name, Username: y.Username.name, Version: y.Version.name, Auth: y.Auth.name, Priv: y.Priv.name, Context: y.Context,
		Project: y.Project, UserDomain: y.UserDomain, ProjectDomain: y.ProjectDomain,
	}
	digest := hmac.New(sha256.New, revisionKey)
	fmt.Fprintf(digest, "%q %q %q %q %q %q %q %q %q|", c.Username, c.Version, c.Auth, c.Priv, c.Context, y.Cipher.name, c.Project, c.UserDomain, c.ProjectDomain)
	secret := func(key string, from source) Secret {
		value, _ := b.env.LookupEnv(from.env.name)
		stamp := ""
		if from.file.name != "" {
			stamp, _ = b.env.Stat(inDir(dir, from.file.name))
		}
		fmt.Fprintf(digest, "%q %q %q %q %q %q %q|", key, from.clear.value, from.env.name, value, from.file.name, stamp, from.command.list)
		from.plain = y.Plain
		return b.secret("credential "+quote(name), key, dir, from)
	}
	c.Password = secret("password", source{clear: y.Password, env: y.PasswordEnv, file: y.PasswordFile, command: y.PasswordExec})
	c.Community = secret("community", source{clear: y.Community, env: y.CommunityEnv, file: y.CommunityFile, command: y.CommunityExec})
	c.AuthPassword = secret("auth_password", source{clear: y.AuthPassword, env: y.AuthPasswordEnv, file: y.AuthPasswordFile, command: y.AuthPasswordExec})
	c.PrivPassword = secret("priv_password", source{clear: y.PrivPassword, env: y.PrivPasswordEnv, file: y.PrivPasswordFile, command: y.PrivPasswordExec})
	c.Revision = hex.EncodeToString(digest.Sum(nil)[:12])
	b.checkCredential(&c, y)
	return c
}

func (b *builder) checkCredential(c *Credential, y *credentialYAML) {
	what := "credential " + quote(c.Name)
	if y.Cipher.name != "" {
		var err error
		if c.Cipher, err = strconv.Atoi(y.Cipher.name); err != nil || c.Cipher < 1 || c.Cipher > 17 {
			b.errs.add(y.Cipher.at, what, "cipher "+quote(y.Cipher.name)+" is not a suite from 1 to 17", "suite 0 asks for no password at all and is never used; leave cipher out for the best of each BMC")
		}
	}
	b.oneOf(y.Auth, what+": auth", authNames)
	b.oneOf(y.Priv, what+": priv", privNames)
	missing := func(bad bool, why string) {
		if bad {
			b.errs.add(y.At, what, why, "")
		}
	}
	switch c.Version {
	case "":
		missing(c.Community.Set(), "has a community and no version: add `version: 2c`")
		missing(!c.Community.Set() && !c.Password.Set(), "has no secret: add password_env, password_file or password_exec")
	case "2c":
		missing(!c.Community.Set(), "version 2c has no secret: add community_env, community_file or community_exec")
	case "3":
		missing(c.Username == "", "version 3 needs a username")
		missing(c.Auth != "" && !c.AuthPassword.Set(), "auth has no secret: add auth_password_env, auth_password_file or auth_password_exec")
		missing(c.Priv != "" && !c.PrivPassword.Set(), "priv has no secret: add priv_password_env, priv_password_file or priv_password_exec")
		missing(c.Priv != "" && c.Auth == "", "priv needs auth (RFC 3414 section 1.4.1)")
	default:
		b.errs.add(y.Version.at, what, "version "+quote(c.Version)+" is not 2c or 3", "")
	}
}

// oneOf complains about a word that is not one of the valid ones; none is fine.
func (b *builder) oneOf(r ref, what string, valid []string) {
	if r.name != "" && !slices.Contains(valid, r.name) {
		b.errs.add(r.at, what, "unknown "+quote(r.name)+": "+didYouMean(r.name, slices.Values(valid), "valid are "+strings.Join(valid, " ")), "")
	}
}

// source is where a secret is: in one of these places.
type source struct {
	clear     hidden
	plain     bool // it may stand in clear
	env, file ref
	command   args
}

// secret finds the one place that a secret is said to be in and looks whether
// it is there, without taking it.
func (b *builder) secret(what, key, dir string, from source) Secret {
	var found []Secret
	var at place
	if from.clear.value != "" {
		found, at = append(found, plainSecret(from.clear.value)), from.clear.at
		if !from.plain {
			b.errs.add(at, what, key+" stands in clear", "use "+key+"_env, "+key+"_file or "+key+"_exec, or say `plain: true`")
		}
	}
	if from.env.name != "" {
		found, at = append(found, envSecret(from.env.name, b.env.LookupEnv)), from.env.at
		if v, ok := b.env.LookupEnv(from.env.name); !ok || v == "" {
			b.errs.add(at, what, "environment variable "+quote(from.env.name)+" is not set", "set it before plumb starts, or use "+key+"_file")
		}
	}
	if from.file.name != "" {
		path := inDir(dir, from.file.name)
		found, at = append(found, fileSecret(path)), from.file.at
		if _, err := b.env.Stat(path); err != nil {
			b.errs.add(at, what, key+"_file "+quote(from.file.name)+": "+reason(err).Error(), "")
		}
	}
	if len(from.command.list) > 0 {
		found, at = append(found, execSecret(from.command.list)), from.command.at
		if err := b.env.LookPath(from.command.list[0]); err != nil {
			b.errs.add(at, what, key+"_exec: no program "+quote(from.command.list[0]), "give the program and its arguments as a list: no shell reads them")
		}
	}
	switch len(found) {
	case 0:
		return Secret{}
	case 1:
		return found[0]
	}
	b.errs.add(at, what, key+" is said to be in more than one place", "keep one of "+key+", "+key+"_env, "+key+"_file and "+key+"_exec")
	return found[0]
}

// webCredential finds a credential that is one of HTTP.
func (b *builder) webCredential(r ref, what string) (Credential, bool) {
	c, ok := b.file.Credentials[r.name]
	switch {
	case !ok:
		b.errs.add(r.at, what, "no credential "+quote(r.name)+b.orDid(r.name, slices.Values(sortedKeys(b.credentials))), "")
	case !c.Password.Set():
		b.errs.add(r.at, what, "credential "+quote(r.name)+" has no password", "username and password are Basic, a password alone is a bearer token")
	default:
		return c, true
	}
	return c, false
}
