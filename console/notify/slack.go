package notify

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"strings"

	"plumb/fleet"
)

// Slack posts a text to an incoming webhook of Slack, Mattermost, or Discord
// (with /slack behind the address), whose address is the secret.
type Slack struct {
	URL     Secret
	Channel string // "": the webhook's own
	User    string // whose name it is said under; "": the webhook's own
	TLS     *tls.Config
}

// Kind implements [Kind].
func (*Slack) Kind() string        { return "slack" }
func (*Slack) defaultText() string { return defaultLine }
func (*Slack) pages() bool         { return true }

// Validate implements [Kind].
func (k *Slack) Validate() error {
	if k.URL == nil {
		return wrong("has no url: add url_env, url_file or url_exec")
	}
	return nil
}

func (k *Slack) sender() Sender { return &slack{k, newWeb(k.TLS, Auth{})} }

type slack struct {
	*Slack
	web
}

// maxLine bounds a text in characters: Discord takes 2,000.
const maxLine = 1900

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Send implements [Sender].
func (s *slack) Send(ctx context.Context, m *Message) (string, error) {
	to, secrets, err := addressOf(ctx, "", s.URL)
	if err != nil {
		return "", err
	}
	text := []rune(m.Text)
	if len(text) > maxLine {
		text = append(text[:maxLine], '…')
	}
	body, _ := json.Marshal(struct {
		Text     string `json:"text"`
		Channel  string `json:"channel,omitempty"`
		Username string `json:"username,omitempty"`
	}{slackEscapes.Replace(string(text)), fleet.Clean(s.Channel, 80), fleet.Clean(s.User, 80)})
	return s.post(ctx, to, nil, body, secrets...)
}
