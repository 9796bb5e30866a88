package openstack

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"
)

// maxTokens bounds what logins can make the server remember.
const maxTokens = 4096

// grant is what a token stands for.
type grant struct {
	user    *User
	issued  time.Time
	expires time.Time
	methods []string
}

// tokens remembers who logged in.
type tokens struct {
	life time.Duration
	mu   sync.Mutex
	all  map[string]grant // guarded by mu
}

func newTokens(life time.Duration) *tokens {
	return &tokens{life: life, all: map[string]grant{}}
}

// issue makes a token for a user.
func (t *tokens) issue(u *User, methods []string, now time.Time) (string, grant) {
	var raw [48]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	id := "gAAAAA" + base64.RawURLEncoding.EncodeToString(raw[:])
	g := grant{user: u, issued: now, expires: now.Add(t.life), methods: methods}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) >= maxTokens {
		t.dropExpired(now)
	}
	if len(t.all) >= maxTokens {
		for k := range t.all { // any: a client that floods loses what it had
			delete(t.all, k)
			break
		}
	}
	t.all[id] = g
	return id, g
}

func (t *tokens) dropExpired(now time.Time) {
	for k, g := range t.all {
		if !now.Before(g.expires) {
			delete(t.all, k)
		}
	}
}

// check returns what a token stands for.
func (t *tokens) check(id string, now time.Time) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.all[id]
	if !ok || !now.Before(g.expires) {
		return grant{}, false
	}
	return g, true
}

func (t *tokens) revoke(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, id)
}

func (t *tokens) revokeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.all)
}

// RevokeTokens makes every token that was issued so far invalid, as a restart
// of Keystone with new keys does.
func (s *Server) RevokeTokens() { s.tokens.revokeAll() }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
