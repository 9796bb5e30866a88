package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"plumb/fleet"
)

// PagerDuty sends events (Events API v2): a group is one incident, which is
// triggered, acknowledged when somebody acknowledged all of it in plumb, and
// resolved.
type PagerDuty struct {
	RoutingKey Secret
	URL        string // "": that of the US; the EU's is https://events.eu.pagerduty.com/v2/enqueue
	Link       string // where the console is explained; "": none
	TLS        *tls.Config
}

const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// Kind implements [Kind].
func (*PagerDuty) Kind() string        { return "pagerduty" }
func (*PagerDuty) defaultText() string { return defaultBody }
func (*PagerDuty) pages() bool         { return true }

// Validate implements [Kind].
func (k *PagerDuty) Validate() error {
	if k.RoutingKey == nil {
		return wrong("has no routing key: add routing_key_env, routing_key_file or routing_key_exec")
	}
	return address("url", cmp.Or(k.URL, pagerDutyURL))
}

func (k *PagerDuty) sender() Sender {
	return &pagerDuty{PagerDuty: k, web: newWeb(k.TLS, Auth{}), acked: map[string]bool{}}
}

type pagerDuty struct {
	*PagerDuty
	web

	mu    sync.Mutex // guards what follows
	acked map[string]bool
}

// event is one of the API's.
type event struct {
	RoutingKey string        `json:"routing_key"`
	Action     string        `json:"event_action"`
	DedupKey   string        `json:"dedup_key"`
	Client     string        `json:"client,omitempty"`
	ClientURL  string        `json:"client_url,omitempty"`
	Links      []eventLink   `json:"links,omitempty"`
	Payload    *eventPayload `json:"payload,omitempty"`
}

type eventLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type eventPayload struct {
	Summary   string    `json:"summary"`
	Source    string    `json:"source"`
	Severity  string    `json:"severity"`
	Timestamp time.Time `json:"timestamp"`
	Component string    `json:"component,omitempty"`
	Group     string    `json:"group,omitempty"`
	Class     string    `json:"class,omitempty"`
	Details   details   `json:"custom_details"`
}

type details struct {
	Text   string       `json:"text"`
	Alerts []fleet.Page `json:"alerts"`
	More   int          `json:"more"`
}

var pagerDutySeverity = map[fleet.Severity]string{fleet.SeverityInfo: "info", fleet.SeverityWarn: "warning", fleet.SeverityCrit: "critical"}

// Send implements [Sender].
func (s *pagerDuty) Send(ctx context.Context, m *Message) (string, error) {
	e := event{Action: "trigger", DedupKey: dedupKey(m.Pages.Group), Client: "plumb", ClientURL: s.Link}
	s.mu.Lock()
	delete(s.acked, e.DedupKey)
	s.mu.Unlock()
	if m.resolved() {
		e.Action = "resolve"
		return s.send(ctx, e)
	}
	v := viewOf(m)
	e.Payload = &eventPayload{Summary: cut(m.Subject, 1000), Source: cmp.Or(v.Worst.Labels["target"], "plumb"), Severity: pagerDutySeverity[v.Severity], Timestamp: m.At.UTC(),
		Component: v.Worst.Labels["kind"], Group: cmp.Or(v.Worst.Labels["rack"], v.Worst.Labels["site"]), Class: v.Worst.Labels["rule"], Details: bounded(m)}
	if v.Worst.Runbook != "" {
		e.Links = []eventLink{{v.Worst.Runbook, "runbook"}}
	}
	return s.send(ctx, e)
}

func (s *pagerDuty) send(ctx context.Context, e event) (string, error) {
	key, err := s.RoutingKey.get(ctx)
	if err != nil {
		return "", err
	}
	e.RoutingKey = key
	body, _ := json.Marshal(e)
	return s.post(ctx, cmp.Or(s.URL, pagerDutyURL), nil, body, key)
}

// Refresh implements [refresher]: what was acknowledged in plumb is so there. A
// group is acknowledged once, and again when it was triggered since.
func (s *pagerDuty) Refresh(ctx context.Context, standing func() []fleet.Pages) (said int, err error) {
	var errs []error
	there := map[string]bool{}
	for _, p := range standing() {
		key := dedupKey(p.Group)
		there[key] = true
		all := !slices.ContainsFunc(p.Alerts, func(a fleet.Page) bool { return a.AckedBy == "" })
		s.mu.Lock()
		due := all && !s.acked[key]
		if due {
			s.acked[key] = true
		}
		s.mu.Unlock()
		if !due {
			continue
		}
		if _, err := s.send(ctx, event{Action: "acknowledge", DedupKey: key}); err != nil {
			s.mu.Lock()
			delete(s.acked, key)
			s.mu.Unlock()
			errs = append(errs, err)
		}
		said++
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.acked, func(key string, _ bool) bool { return !there[key] })
	return said, errors.Join(errs...)
}

// dedupKey names the group's incident: at most 255 characters.
func dedupKey(group string) string {
	key := "plumb " + group
	if len(key) > 255 {
		sum := sha256.Sum256([]byte(group))
		key = "plumb " + hex.EncodeToString(sum[:])
	}
	return key
}

// maxDetails bounds an event: PagerDuty takes 512 KB.
const maxDetails = 400 << 10

// bounded are a message's details without what would be too much.
func bounded(m *Message) details {
	d := details{Text: cut(m.Text, 16<<10), Alerts: m.Pages.Alerts, More: m.Pages.More}
	for {
		b, _ := json.Marshal(d)
		if len(b) <= maxDetails || len(d.Alerts) == 0 {
			return d
		}
		half := len(d.Alerts) / 2
		d.More += len(d.Alerts) - half
		d.Alerts = d.Alerts[:half]
	}
}

// cut bounds a text in bytes at the border of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
