package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestGuarded(t *testing.T) {
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	hush := func(context.Context) (string, error) { return "hush", nil }
	gone := func(context.Context) (string, error) { return "", errors.New("file /secret: gone") }
	basic := func(user, secret string) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, secret)
		return r.Header.Get("Authorization")
	}
	for _, c := range []struct {
		name, user string
		secret     func(context.Context) (string, error)
		path, says string
		want       int
	}{
		{"open", "", nil, "/fleet", "", 204},
		{"token", "", hush, "/fleet", "Bearer hush", 204},
		{"wrong token", "", hush, "/fleet", "Bearer hus", 401},
		{"no token", "", hush, "/metrics", "", 401},
		{"a token as Basic", "", hush, "/sd", basic("", "hush"), 401},
		{"basic", "prom", hush, "/sd", basic("prom", "hush"), 204},
		{"wrong user", "prom", hush, "/sd", basic("pro", "hush"), 401},
		{"wrong password", "prom", hush, "/sd", basic("prom", "hush "), 401},
		{"a token where Basic is asked for", "prom", hush, "/sd", "Bearer hush", 401},
		{"alive", "prom", hush, "/healthz", "", 204},
		{"ready", "", hush, "/readyz", "", 204},
		{"no secret to be had", "", gone, "/fleet", "Bearer ", 503},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		if c.says != "" {
			r.Header.Set("Authorization", c.says)
		}
		w := httptest.NewRecorder()
		Guarded(inside, c.user, c.secret).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
}

// Who has no secret cannot have it fetched for every knock, which may start a
// program; a changed one counts soon.
func TestGuardedFetchesNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched, secret := 0, "old"
		h := Guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "", func(ctx context.Context) (string, error) {
			fetched++
			return secret, ctx.Err()
		})
		knock := func(says string) int {
			ctx, leave := context.WithCancel(t.Context())
			leave() // a stranger who does not wait spoils it for nobody
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/fleet", nil)
			r.Header.Set("Authorization", "Bearer "+says)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		for range 100 {
			if code := knock("guess"); code != http.StatusUnauthorized {
				t.Fatal(code)
			}
		}
		if knock("old") != http.StatusOK || fetched != 1 {
			t.Errorf("fetched %d times", fetched)
		}
		secret = "new"
		time.Sleep(secretFor)
		if knock("new") != http.StatusOK || knock("old") != http.StatusUnauthorized || fetched != 2 {
			t.Errorf("fetched %d times", fetched)
		}
	})
}
