package notify

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// Alertmanager posts alerts to one or several Alertmanagers (API v2), which
// group, silence and forget them: what fires is said again every minute.
type Alertmanager struct {
	URLs []string // of each; those of a cluster are all told, and one yes is enough
	Link string   // generatorURL of every alert; "": none
	Auth Auth
	TLS  *tls.Config
}

// Kind implements [Kind].
func (*Alertmanager) Kind() string        { return "alertmanager" }
func (*Alertmanager) defaultText() string { return defaultBody }
func (*Alertmanager) pages() bool         { return false }

// Validate implements [Kind].
func (k *Alertmanager) Validate() error {
	if len(k.URLs) == 0 {
		return wrong("has no url")
	}
	for _, u := range k.URLs {
		if err := address("url", u); err != nil {
			return err
		}
	}
	if k.Link != "" {
		return address("link", k.Link)
	}
	return nil
}

func (k *Alertmanager) sender() Sender {
	return &alertmanager{Alertmanager: k, web: newWeb(k.TLS, k.Auth), turn: make(chan struct{}, 1)}
}

type alertmanager struct {
	*Alertmanager
	web
	// turn is held while something is sent: what is said again must not pass a
	// word that ends it.
	turn chan struct{}
}

// standsFor is how long an Alertmanager takes an alert for firing that is not
// said again.
const standsFor = 5 * time.Minute

// atOnce bounds the alerts of one request.
const atOnce = 500

// others is how long the rest of a cluster is waited for after the first yes:
// what they miss they hear within a minute, or from each other.
const others = 500 * time.Millisecond

// posted is an alert as the API has it.
type posted struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Send implements [Sender].
func (s *alertmanager) Send(ctx context.Context, m *Message) (answer string, err error) {
	stands := max(standsFor, 3*m.Every)
	if m.What == WhatTest {
		stands = time.Minute // nobody resolves it
	}
	err = s.inTurn(ctx, func() error {
		answer, err = s.tell(ctx, s.alerts(m.Pages.Alerts, stands))
		return err
	})
	return answer, err
}

// Refresh implements [refresher].
func (s *alertmanager) Refresh(ctx context.Context, standing func() []fleet.Pages) (said int, err error) {
	err = s.inTurn(ctx, func() error {
		var list []posted
		for _, p := range standing() {
			list = append(list, s.alerts(p.Alerts, standsFor)...)
		}
		var errs []error
		for part := range slices.Chunk(list, atOnce) {
			_, err := s.tell(ctx, part)
			errs, said = append(errs, err), said+len(part)
		}
		return errors.Join(errs...)
	})
	return said, err
}

func (s *alertmanager) inTurn(ctx context.Context, do func() error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	return do()
}

func (s *alertmanager) alerts(pages []fleet.Page, stands time.Duration) []posted {
	out := make([]posted, 0, len(pages))
	now := time.Now()
	for i := range pages {
		out = append(out, s.posted(&pages[i], now, stands))
	}
	return out
}

func (s *alertmanager) posted(p *fleet.Page, now time.Time, stands time.Duration) posted {
	x := posted{Labels: labelsOf(p), Annotations: map[string]string{}, StartsAt: p.Since.UTC(), EndsAt: now.Add(stands).UTC(), GeneratorURL: s.Link}
	if p.Status == "resolved" {
		if x.EndsAt = p.Ended.UTC(); p.Ended.IsZero() {
			x.EndsAt = now.UTC()
		}
		if x.EndsAt.Before(x.StartsAt) {
			x.StartsAt = x.EndsAt
		}
	}
	for name, value := range map[string]string{"summary": p.Summary, "cause": p.Cause, "evidence": p.Evidence, "blast": p.Blast, "runbook": p.Runbook} {
		if value != "" {
			x.Annotations[name] = value
		}
	}
	if p.Holds > 0 {
		x.Annotations["holds"] = strconv.Itoa(p.Holds)
	}
	return x
}

// labelsOf are an alert's labels with names that Alertmanager takes: letters,
// digits and underscores. What is empty is left out there.
func labelsOf(p *fleet.Page) map[string]string {
	rule, _, _ := strings.Cut(p.ID, ":")
	out := map[string]string{"alertname": rule}
	for _, name := range slices.Sorted(maps.Keys(p.Labels)) { // of two that come to one name the last
		if value := p.Labels[name]; value != "" && name != "rule" && name != "alertname" {
			out[labelName(name)] = strings.ToValidUTF8(value, "�")
		}
	}
	return out
}

func labelName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "_" + s
	}
	return s
}

// tell posts to every address; one yes is enough. Of several that refuse, the
// one that is most worth another try counts.
func (s *alertmanager) tell(ctx context.Context, list []posted) (string, error) {
	if len(list) == 0 {
		return "nothing to tell", nil
	}
	body, _ := json.Marshal(list)
	type said struct {
		answer string
		err    error
	}
	answers := make(chan said, len(s.URLs))
	for _, u := range s.URLs {
		go func() {
			answer, err := s.post(ctx, strings.TrimSuffix(u, "/")+"/api/v2/alerts", nil, body)
			answers <- said{answer, err}
		}()
	}
	yes, best := "", (*Refusal)(nil)
	var late <-chan time.Time
	for range s.URLs {
		select {
		case x := <-answers:
			if x.err == nil {
				if yes = x.answer; late == nil {
					late = time.After(others)
				}
			} else if r := judge(ctx, x.err); best == nil || r.Verdict < best.Verdict {
				best = r
			}
		case <-late:
			return yes, nil
		}
	}
	if yes != "" {
		return yes, nil
	}
	return "", best
}
