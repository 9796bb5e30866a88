package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Guarded lets in who has the secret: as Basic with the user's name, or, where
// there is none, as a bearer token. Whether plumb lives and is ready anybody may
// ask: what does may have no secret. Without a secret everybody may ask all.
func Guarded(h http.Handler, user string, secret func(context.Context) (string, error)) http.Handler {
	if secret == nil {
		return h
	}
	kept := &keptSecret{get: secret}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
			h.ServeHTTP(w, r)
			return
		}
		want, err := kept.now(r.Context())
		if err != nil { // it says where the secret should be
			http.Error(w, "the secret of this address cannot be read", http.StatusServiceUnavailable)
			return
		}
		if !shows(r, user, want) {
			w.Header().Set("WWW-Authenticate", scheme(user)+` realm="plumb"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// secretFor is how long a secret is used that was fetched: so long a changed one
// takes to count.
const secretFor = 5 * time.Second

// keptSecret fetches a secret now and then. Where it is the output of a program,
// a program must not be started for every stranger who knocks.
type keptSecret struct {
	get func(context.Context) (string, error)

	mu     sync.Mutex // guards what follows
	at     time.Time
	secret string
	err    error
}

func (k *keptSecret) now(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at.IsZero() || time.Since(k.at) >= secretFor {
		k.secret, k.err = k.get(context.WithoutCancel(ctx)) // who asked may leave, the others ask too
		k.at = time.Now()
	}
	return k.secret, k.err
}

func scheme(user string) string {
	if user == "" {
		return "Bearer"
	}
	return "Basic"
}

func shows(r *http.Request, user, want string) bool {
	if user != "" {
		name, has, _ := r.BasicAuth()
		return same(name, user) && same(has, want)
	}
	has, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && same(has, want)
}

// same compares in a time that tells nothing of either.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
