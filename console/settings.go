package console

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// ServerConfig says who may come in and how much of everything they get. Zero
// numbers mean their defaults.
type ServerConfig struct {
	// HostKey is the absolute path of the host's private key; it is created,
	// ed25519 and mode 0600, where there is none.
	HostKey string
	// Users may come in under their own name with one of their keys.
	Users []User
	// AnyName are keys that come in under any user name; Name is ignored.
	AnyName []User
	// TrustedCA sign user certificates whose principals are names in Users.
	TrustedCA []ssh.PublicKey

	// Users of role admin find a few places more than MaxSessions, so that
	// those who could help are not kept out by those who fill the house.
	MaxSessions        int // sessions at once, and connections that have authenticated; 500
	MaxSessionsPerUser int // sessions at once of one user; 20
	MaxConnsPerUser    int // connections at once of one user; 32

	MaxConns        int // connections at once; MaxSessions + MaxPending + the admins' places
	MaxConnsPerIP   int // connections at once of one address (IPv6: of one /64); MaxConns
	MaxPending      int // connections that have not authenticated yet; 64
	MaxPendingPerIP int // the same of one address; 16

	Handshake time.Duration // from connect to authenticated; 10 s
	NoSession time.Duration // how long a connection may be without its first session; 30 s
	Idle      time.Duration // since the last key, walls exempt, and of a connection since its last session; 30 min; negative: never
	IdleWarn  time.Duration // how long before that the screen warns; 1 min
	Keepalive time.Duration // between SSH keepalives; three unanswered ones end the connection; 15 s
	Stall     time.Duration // how long one write to a screen may take; 10 s
	VerbStall time.Duration // the same of a verb, whose reader may be a pager; 1 min; of watch ten times that
	Farewell  time.Duration // how long sessions get to end when the server stops; 2 s
	Redraws   int           // new snapshots a session draws per second, 1 to 4; 2
	WallPage  time.Duration // how long a wall shows one view; 15 s
}

// adminPlaces are places beyond MaxSessions, for users of role admin only.
const adminPlaces = 8

// watchPatience is how much longer than another verb watch waits for its
// reader: it has hours to run, and a paused pager is not a fault.
const watchPatience = 10

// User is one person or one screen on a wall.
type User struct {
	Name  string
	Role  fleet.Role
	Scope *fleet.Scope // what they may write to; nil: everything
	Keys  []ssh.PublicKey
	Bell  Bell // what the screens of this user ring for, until they choose otherwise
}

// ErrConfig says that the server will not start as it is configured.
var ErrConfig = errors.New("ssh server not started")

func (c ServerConfig) withDefaults() ServerConfig {
	c.MaxSessions = cmp.Or(c.MaxSessions, 500)
	c.MaxPending = cmp.Or(c.MaxPending, 64)
	c.MaxPendingPerIP = cmp.Or(c.MaxPendingPerIP, 16)
	c.MaxSessionsPerUser = cmp.Or(c.MaxSessionsPerUser, 20)
	c.MaxConnsPerUser = cmp.Or(c.MaxConnsPerUser, 32)
	c.MaxConns = cmp.Or(c.MaxConns, c.MaxSessions+c.MaxPending+adminPlaces)
	c.MaxConnsPerIP = cmp.Or(c.MaxConnsPerIP, c.MaxConns)
	c.Handshake = cmp.Or(c.Handshake, 10*time.Second)
	c.NoSession = cmp.Or(c.NoSession, 30*time.Second)
	c.Idle = cmp.Or(c.Idle, 30*time.Minute)
	c.IdleWarn = cmp.Or(c.IdleWarn, time.Minute)
	c.Keepalive = cmp.Or(c.Keepalive, 15*time.Second)
	c.Stall = cmp.Or(c.Stall, 10*time.Second)
	c.VerbStall = cmp.Or(c.VerbStall, time.Minute)
	c.Farewell = cmp.Or(c.Farewell, 2*time.Second)
	c.Redraws = max(1, min(cmp.Or(c.Redraws, 2), 4))
	c.WallPage = cmp.Or(c.WallPage, 15*time.Second)
	return c
}

// validate refuses what would leave the door open or the key astray. An SSH
// library without an authentication handler lets everybody in, so a server
// that knows nobody does not start at all.
func (c ServerConfig) validate() error {
	switch {
	case c.HostKey == "":
		return fmt.Errorf("%w: no path for the host key", ErrConfig)
	case !filepath.IsAbs(c.HostKey):
		return fmt.Errorf("%w: the host key's path %q is not absolute", ErrConfig, c.HostKey)
	case len(c.Users) == 0 && len(c.AnyName) == 0:
		return fmt.Errorf("%w: no users are configured, so nobody could be told from anybody", ErrConfig)
	}
	seen := make(map[string]bool)
	for _, u := range c.Users {
		switch {
		case u.Name == "" || u.Name != fleet.Clean(u.Name, maxUserName) || strings.ContainsAny(u.Name, " \t"):
			return fmt.Errorf("%w: %q is not a user name", ErrConfig, u.Name)
		case seen[u.Name]:
			return fmt.Errorf("%w: user %s is there twice", ErrConfig, u.Name)
		case len(u.Keys) == 0 && len(c.TrustedCA) == 0:
			return fmt.Errorf("%w: user %s has no key, and no CA is trusted", ErrConfig, u.Name)
		}
		seen[u.Name] = true
	}
	for _, u := range append(c.Users, c.AnyName...) {
		if u.Role == fleet.RoleNone {
			return fmt.Errorf("%w: user %s has no role", ErrConfig, cmp.Or(u.Name, "of any name"))
		}
	}
	return nil
}
