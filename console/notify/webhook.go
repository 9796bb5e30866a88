package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhook posts a [Body] as JSON to an address.
type Webhook struct {
	URL       string
	URLSecret Secret // instead of URL, where the address is a secret
	// Secret signs what is sent; nil: it is not signed.
	Secret Secret
	Auth   Auth
	TLS    *tls.Config // nil: as the system has it
}

// Kind implements [Kind].
func (*Webhook) Kind() string        { return "webhook" }
func (*Webhook) defaultText() string { return defaultBody }
func (*Webhook) pages() bool         { return false }

// Validate implements [Kind].
func (k *Webhook) Validate() error {
	if k.URLSecret != nil {
		return nil
	}
	return address("url", k.URL)
}

func (k *Webhook) sender() Sender { return &webhook{k, newWeb(k.TLS, k.Auth)} }

type webhook struct {
	*Webhook
	web
}

// Send implements [Sender]. Whoever holds the secret can check that the message
// is plumb's and how old it is: v1 is the HMAC-SHA256 of "t.body".
func (w *webhook) Send(ctx context.Context, m *Message) (string, error) {
	to, secrets, err := addressOf(ctx, w.URL, w.URLSecret)
	if err != nil {
		return "", err
	}
	secret, err := w.Secret.get(ctx)
	if err != nil {
		return "", err
	}
	body, header := m.body(), http.Header{}
	header.Set("Idempotency-Key", m.Key)
	if secret != "" {
		header.Set("Plumb-Signature", Signature(secret, time.Now(), body))
	}
	return w.post(ctx, to, header, body, append(secrets, secret)...)
}

// Signature is the value of Plumb-Signature for a body that is sent at a time.
func Signature(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t + "."))
	h.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// addressOf is an address that stands in the file, or one that is a secret.
func addressOf(ctx context.Context, plain string, secret Secret) (to string, secrets []string, err error) {
	if secret == nil {
		return plain, nil, nil
	}
	if to, err = secret.get(ctx); err != nil {
		return "", nil, err
	}
	if err := address("url", to); err != nil {
		return "", nil, mend(err)
	}
	return to, secretsOf(to), nil
}

// secretWord is how long a part of a secret address is that is no common word.
const secretWord = 9

// secretsOf are an address that is a secret and the parts of it that make it
// one: a server that refuses often says the path that it was asked for.
func secretsOf(to string) []string {
	u, err := url.Parse(to)
	if err != nil {
		return []string{to}
	}
	out := []string{to, u.RequestURI(), u.Path, u.RawQuery}
	parts := slices.Concat(strings.Split(u.EscapedPath(), "/"), strings.Split(u.Path, "/"))
	for _, list := range u.Query() {
		parts = append(parts, list...)
	}
	for _, part := range parts {
		if len(part) >= secretWord {
			out = append(out, part)
		}
	}
	return out
}
