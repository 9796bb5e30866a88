package post

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-3": 0, "soon": 0, "100000": time.Minute,
		now.Add(20 * time.Second).Format(http.TimeFormat): 20 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}, now, time.Minute); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Error("the redirect was followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	res, err := Client(nil).Post(s.URL, "text/plain", strings.NewReader("secret"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusTemporaryRedirect {
		t.Error(res.Status)
	}
}

func TestPlainErrorHasNoAddress(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := Client(nil).Post(s.URL+"/secret", "text/plain", nil)
	if err == nil || strings.Contains(Plain(err).Error(), "secret") {
		t.Errorf("%v", Plain(err))
	}
	if other := errors.New("other"); Plain(other) != other {
		t.Error("another error is not itself")
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("7")
	f.Add("Fri, 27 Nov 2026 12:00:00 GMT")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, text string) {
		if d := RetryAfter(http.Header{"Retry-After": {text}}, time.Unix(1_790_000_000, 0), time.Minute); d < 0 || d > time.Minute {
			t.Errorf("%q: %v", text, d)
		}
	})
}
