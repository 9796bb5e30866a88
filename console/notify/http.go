package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumb/console/post"
)

// web posts to HTTP receivers: one client each, whose connections are kept.
type web struct {
	client *http.Client
	auth   Auth
}

// maxRead bounds what is read of an answer; the rest is not waited for.
const maxRead = 8 << 10

func newWeb(c *tls.Config, auth Auth) web { return web{client: post.Client(tlsOf(c)), auth: auth} }

func (w *web) Close() { w.client.CloseIdleConnections() }

// post sends a body and returns the receiver's words. secrets are those in the
// address, the header and the body: they are kept out of every text.
func (w *web) post(ctx context.Context, to string, header http.Header, body []byte, secrets ...string) (answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return "", refusal(Mend, "the address is not one") // its text may be a secret
	}
	for name, list := range header {
		req.Header[name] = list
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "plumb")
	more, err := w.sign(ctx, req)
	if err != nil {
		return "", err
	}
	secrets = append(secrets, more...)
	res, err := w.client.Do(req)
	if err != nil {
		r := judge(ctx, post.Plain(err))
		r.Why = words(r.Why, secrets...)
		return "", r
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxRead))
	answer = res.Status
	if said := wordsOf(res.Header.Get("Content-Type"), text); said != "" {
		answer += ": " + said
	}
	answer = words(answer, secrets...)
	if err != nil && res.StatusCode/100 == 2 {
		return "", refusal(Retry, "the answer breaks off: "+err.Error())
	}
	return answer, verdict(res, answer)
}

// sign says who we are.
func (w *web) sign(ctx context.Context, req *http.Request) (secrets []string, err error) {
	if w.auth.Bearer != nil {
		token, err := w.auth.Bearer.get(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		return []string{token}, nil
	}
	if w.auth.Username == "" {
		return nil, nil
	}
	password, err := w.auth.Password.get(ctx)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(w.auth.Username, password)
	return []string{password, strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")}, nil
}

// verdict judges a status: yes, not now, not so, or not at all until a person
// mends something.
func verdict(res *http.Response, answer string) error {
	switch code := res.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		r := refusal(Retry, answer)
		r.After = post.RetryAfter(res.Header, time.Now(), maxAfter)
		return r
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		r := refusal(Retry, answer)
		r.Answered = code >= 500
		return r
	case code/100 == 3:
		to := ""
		if u, err := res.Location(); err == nil {
			to = " to " + u.Host
		}
		return refusal(Mend, answer+": it redirects"+to+", and redirects are not followed: set the address itself")
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusMethodNotAllowed, code == http.StatusProxyAuthRequired, code == http.StatusGone:
		return refusal(Mend, answer)
	}
	return refusal(Final, answer)
}

// maxAfter bounds how long a receiver may ask us to wait.
const maxAfter = 15 * time.Minute

// wordsOf is what an answer says that a person can use: of JSON its message, of
// a page of HTML nothing.
func wordsOf(kind string, text []byte) string {
	if strings.Contains(kind, "html") {
		return ""
	}
	var j struct {
		Message string   `json:"message"`
		Error   string   `json:"error"`
		Errors  []string `json:"errors"`
	}
	if json.Unmarshal(text, &j) == nil {
		var words []string
		for _, s := range append([]string{j.Message, j.Error}, j.Errors...) {
			if s != "" {
				words = append(words, s)
			}
		}
		if words != nil {
			return strings.Join(words, "; ")
		}
	}
	return string(text)
}

// address checks a URL of the file.
func address(what, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return wrong("has no %s", what)
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return wrong("%s: want http://HOST/... or https://HOST/...", what)
	case u.User != nil:
		return wrong("%s: a password does not stand in an address: use username and password_env, password_file or password_exec", what)
	}
	return nil
}
