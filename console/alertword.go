package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/views/export"
)

// AlertWord is what a person says about alerts: that they know of one, or that
// some are not to be told for a time.
type AlertWord struct {
	Alert    string   // the id of one
	Matchers []string // of a silence: LABEL=VALUE ...
	For      time.Duration
	Reason   string
}

// longestSilence bounds a silence and an acknowledgement: what nobody wants to
// hear again is a rule to change.
const longestSilence = 366 * 24 * time.Hour

// mayWord judges the person and how long their word shall stand.
func mayWord(by Caller, d time.Duration) error {
	switch {
	case by.Role < fleet.RoleOperator:
		return fmt.Errorf("%w: needs role operator, you are %s", ErrMayNot, by.Role)
	case d < 0 || d > longestSilence:
		return fmt.Errorf("%w: it can stand for a year at most", ErrNotSo)
	}
	return nil
}

// Acknowledge turns an ack into a decision with its audit entry.
func Acknowledge(s *fleet.Snapshot, by Caller, w AlertWord, now time.Time) (fleet.Decision, fleet.Ack, error) {
	now = now.UTC()
	a := s.Alerts.Find(w.Alert)
	if err := mayWord(by, w.For); err != nil {
		return fleet.Decision{}, fleet.Ack{}, err
	}
	if a == nil || !a.Active() {
		return fleet.Decision{}, fleet.Ack{}, fmt.Errorf("%w: %s is over", ErrNotSo, fleet.Clean(w.Alert, 120))
	}
	ack := fleet.Ack{By: by.User, Reason: fleet.Clean(w.Reason, fleet.MaxText), At: now}
	if w.For > 0 {
		ack.Until = now.Add(w.For)
	}
	return fleet.Decision{Acks: []fleet.Acknowledgement{{Alert: w.Alert, Ack: ack}}, Audit: wordEntry(by, "ack", w.Alert, ack.Reason, now)}, ack, nil
}

// Hush turns a silence into a decision with its audit entry.
func Hush(s *fleet.Snapshot, by Caller, w AlertWord, now time.Time) (fleet.Decision, fleet.Silence, error) {
	now = now.UTC()
	x := fleet.Silence{Start: now, End: now.Add(w.For), By: by.User, Comment: fleet.Clean(w.Reason, fleet.MaxText)}
	if err := mayWord(by, w.For); err != nil {
		return fleet.Decision{}, x, err
	}
	for _, text := range w.Matchers {
		m, err := alert.ParseMatcher(text)
		if err != nil {
			return fleet.Decision{}, x, usage(silenceExample, "silence: %v", err)
		}
		x.Matchers = append(x.Matchers, m)
	}
	switch {
	case len(x.Matchers) == 0 || len(x.Matchers) > 20:
		return fleet.Decision{}, x, usage(silenceExample, "silence: needs 1 to 20 matchers: what is it about?")
	case alert.Matches(x.Matchers, nil):
		return fleet.Decision{}, x, usage(silenceExample, "silence: matches everything, also what has none of these labels")
	case w.For == 0:
		return fleet.Decision{}, x, usage(silenceExample, "silence: needs --for: a silence ends")
	case strings.TrimSpace(x.Comment) == "":
		return fleet.Decision{}, x, usage(silenceExample, "silence: needs --reason: it is what others will read")
	}
	sum := sha256.Sum256([]byte(by.User + "\x00" + x.Text() + "\x00" + now.Format(time.RFC3339Nano)))
	x.ID = "S" + hex.EncodeToString(sum[:4])
	return fleet.Decision{Silences: []fleet.Silence{x}, Audit: wordEntry(by, "silence", x.Text(), x.Comment, now)}, x, nil
}

const silenceExample = `silence rack=ams1/r03 rule=~psu.* --for 2h --reason "..."`

// Unhush ends a silence now.
func Unhush(s *fleet.Snapshot, by Caller, id string, now time.Time) (fleet.Decision, fleet.Silence, error) {
	now = now.UTC()
	if err := mayWord(by, 0); err != nil {
		return fleet.Decision{}, fleet.Silence{}, err
	}
	var ids []string
	if s.Alerts != nil {
		for _, x := range s.Alerts.Silences {
			if !now.Before(x.End) {
				continue
			}
			if ids = append(ids, x.ID); x.ID == id {
				x.End = now
				return fleet.Decision{Silences: []fleet.Silence{x}, Audit: wordEntry(by, "unsilence", x.Text(), x.ID, now)}, x, nil
			}
		}
	}
	return fleet.Decision{}, fleet.Silence{}, nearest(ids, id, "silence", "silences lists them")
}

func wordEntry(by Caller, action, target, reason string, now time.Time) []fleet.AuditEntry {
	return []fleet.AuditEntry{{At: now, Who: by.User, From: by.From, Action: action, Target: fleet.Clean(target, fleet.MaxText), Outcome: "done", Reason: reason}}
}

// wordFailure is an error about a word as people and scripts get it.
func wordFailure(name string, err error) error {
	var f *Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, ErrMayNot):
		return &Failure{"denied", name + ": " + err.Error(), ""}
	case errors.Is(err, ErrNotSo):
		return &Failure{"refused", name + ": " + err.Error(), ""}
	}
	return err
}

// alertOf finds an alert by its id or says which is nearest.
func alertOf(s *fleet.Snapshot, id string) (*fleet.Alert, error) {
	if a := s.Alerts.Find(id); a != nil {
		return a, nil
	}
	var ids []string
	if s.Alerts != nil {
		for _, a := range s.Alerts.List {
			ids = append(ids, a.ID())
		}
	}
	slices.Sort(ids)
	return nil, nearest(ids, id, "alert", "alerts --all lists them")
}

func nearest(ids []string, id, what, otherwise string) error {
	hint := otherwise
	if near := export.Closest(ids, id); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &Failure{"unknown", fmt.Sprintf("%s: no such %s", fleet.Clean(cmp.Or(id, "(nothing)"), 120), what), hint}
}

// lasting reads a flag that is a duration; 0 where it was not given.
func (c *verbCall) lasting(name string) (time.Duration, error) {
	text := c.flags[name]
	if text == "" {
		return 0, nil
	}
	d, err := ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usage("90s 1h30m 2d 3w", "--%s %s: not a duration", name, fleet.Clean(text, 20))
	}
	return d, nil
}
