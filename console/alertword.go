package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/views"
	"plumb/views/export"
)

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

// Say turns what a person says about alerts into a decision that the engine
// takes and the store makes durable in one commit with its audit entries, and
// says in words what then is so. It is the one way in for screens and verbs.
func Say(s *fleet.Snapshot, by Caller, w views.AlertWord, now time.Time) (d fleet.Decision, said string, err error) {
	switch w.Do {
	case "ack", "unack":
		if d, err = Acknowledge(s, by, w, now); err == nil {
			said = acknowledged(w, len(d.Acks))
		}
	case "silence":
		var x fleet.Silence
		d, x, err = Hush(s, by, w, now)
		said = x.ID + " silences " + x.Text() + " until " + x.End.UTC().Format("2006-01-02 15:04Z")
	case "unsilence":
		var x fleet.Silence
		d, x, err = Unhush(s, by, w.Silence, now)
		said = x.ID + " ended: " + x.Text()
	default:
		err = fmt.Errorf("%w: %q is nothing that can be said of alerts", ErrNotSo, fleet.Clean(w.Do, 20))
	}
	return d, said, err
}

func acknowledged(w views.AlertWord, n int) string {
	what := strconv.Itoa(n) + " alerts"
	if n == 1 {
		what = fleet.Clean(w.Alerts[0], 120)
	}
	if w.Do == "unack" {
		return "taken back, and told again: " + what
	}
	return "acknowledged: " + what
}

// maxAcks bounds the alerts of one word.
const maxAcks = 1000

// Acknowledge turns an ack of some alerts, or the end of one, into a decision.
// All of them must be within the person's scope; what is over meanwhile needs no
// ack, but one of them must be left.
func Acknowledge(s *fleet.Snapshot, by Caller, w views.AlertWord, now time.Time) (fleet.Decision, error) {
	now = now.UTC()
	var d fleet.Decision
	if err := mayWord(by, w.For); err != nil {
		return d, err
	}
	if len(w.Alerts) == 0 || len(w.Alerts) > maxAcks {
		return d, fmt.Errorf("%w: %d alerts; 1 to %d at once", ErrNotSo, len(w.Alerts), maxAcks)
	}
	if w.For == 0 && !w.Sticky && w.Do != "unack" {
		w.For = alert.AckFor(s)
	}
	ack := fleet.Ack{By: by.User, Reason: fleet.Clean(w.Reason, fleet.MaxText), At: now, Sticky: w.Sticky}
	if w.For > 0 {
		ack.Until = now.Add(w.For)
	}
	if w.Do == "unack" {
		ack = fleet.Ack{}
	}
	why := "is over"
	for _, id := range w.Alerts {
		a := s.Alerts.Find(id)
		switch {
		case a == nil || !a.Active():
			continue
		case !by.Scope.Alert(s, a):
			return fleet.Decision{}, fmt.Errorf("%w: %s is outside of your scope", ErrMayNot, fleet.Clean(a.Target, 80))
		case w.Do == "unack" && a.Ack == nil:
			why = "is not acknowledged"
			continue
		}
		d.Acks = append(d.Acks, fleet.Acknowledgement{Alert: id, Ack: ack})
		d.Audit = append(d.Audit, wordEntry(by, cmp.Or(w.Do, "ack"), id, "done", lasts(ack, fleet.Clean(w.Reason, fleet.MaxText)), now))
	}
	if len(d.Acks) == 0 {
		return d, fmt.Errorf("%w: %s %s", ErrNotSo, fleet.Clean(w.Alerts[0], 120), why)
	}
	return d, nil
}

// lasts is a reason with how long an ack stands before it, where that is not
// until the alert changes.
func lasts(a fleet.Ack, reason string) string {
	switch {
	case !a.Until.IsZero():
		return strings.TrimSuffix("until "+a.Until.Format(time.RFC3339)+": "+reason, ": ")
	case a.Sticky:
		return strings.TrimSuffix("until it is ok: "+reason, ": ")
	}
	return reason
}

// Hush turns a silence, or the maintenance of a place, into a decision with its
// audit entry.
func Hush(s *fleet.Snapshot, by Caller, w views.AlertWord, now time.Time) (fleet.Decision, fleet.Silence, error) {
	now = now.UTC()
	x := fleet.Silence{Start: now, End: now.Add(w.For), By: by.User, Comment: fleet.Clean(w.Reason, fleet.MaxText), At: w.At}
	if err := mayWord(by, w.For); err != nil {
		return fleet.Decision{}, x, err
	}
	verb, example := "silence", silenceExample
	if w.At != "" {
		verb, example = "maintenance", maintenanceExample
	}
	for _, text := range w.Matchers {
		m, err := alert.ParseMatcher(text)
		if err != nil {
			return fleet.Decision{}, x, usage(example, "%s: %v", verb, err)
		}
		x.Matchers = append(x.Matchers, m)
	}
	switch {
	case w.At != "" && !isPlace(s, w.At):
		return fleet.Decision{}, x, usage(example, "maintenance: no region, site, rack, feed or device %s", fleet.Clean(w.At, 80))
	case w.At == "" && len(x.Matchers) == 0 || len(x.Matchers) > 20:
		return fleet.Decision{}, x, usage(example, "%s: needs 1 to 20 matchers: what is it about?", verb)
	case w.At == "" && alert.Matches(x.Matchers, nil):
		return fleet.Decision{}, x, usage(example, "silence: matches everything, also what has none of these labels")
	case w.At == "" && !w.All && alert.Sweeping(x.Matchers):
		return fleet.Decision{}, x, usage(example, "silence: covers every alert there is or will be, %d now; --all says that this is meant", len(alert.Covered(s, &x)))
	case w.For == 0:
		return fleet.Decision{}, x, usage(example, "%s: needs --for: how long it stands", verb)
	case strings.TrimSpace(x.Comment) == "":
		return fleet.Decision{}, x, usage(example, "%s: needs --reason: it is what others will read", verb)
	case !by.Scope.Silence(s, &x):
		return fleet.Decision{}, x, fmt.Errorf("%w: it would reach outside of your scope: name %s", ErrMayNot, scopeHint(by.Scope))
	}
	sum := sha256.Sum256([]byte(by.User + "\x00" + x.Text() + "\x00" + now.Format(time.RFC3339Nano)))
	x.ID = "S" + hex.EncodeToString(sum[:4])
	kept := x.ID + " until " + x.End.Format(time.RFC3339) + ": " + x.Comment // what is kept from people, and until when
	return fleet.Decision{Silences: []fleet.Silence{x}, Audit: []fleet.AuditEntry{wordEntry(by, verb, x.Text(), "done", kept, now)}}, x, nil
}

const (
	silenceExample     = `silence rack=ams1/r03 rule=~psu.* --for 2h --reason "..."`
	maintenanceExample = `maintenance ams1/r03 --for 2h --reason "..."`
)

// isPlace reports whether a maintenance may be of it.
func isPlace(s *fleet.Snapshot, id string) bool {
	return s.Regions.Get(id) != nil || s.Sites.Get(id) != nil || s.Racks.Get(id) != nil || s.Feeds.Get(id) != nil || s.Devices.Get(id) != nil
}

// scopeHint says what a silence has to name for somebody.
func scopeHint(x *fleet.Scope) string {
	var out []string
	for _, part := range []struct {
		label string
		list  []string
	}{{"region", x.Regions}, {"owner", x.Owners}, {"tenant", x.Tenants}} {
		if len(part.list) > 0 {
			out = append(out, part.label+"="+strings.Join(part.list, "|"))
		}
	}
	return strings.Join(out, " and ") + ", or targets of yours: target=a, target=~a|b with dots as \\."
}

// Unhush ends a silence now: one's own, or one within one's scope.
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
			ids = append(ids, x.ID)
			switch {
			case x.ID != id:
			case x.By != by.User && !by.Scope.Silence(s, &x):
				return fleet.Decision{}, x, fmt.Errorf("%w: %s reaches outside of your scope, and is %s's", ErrMayNot, x.ID, x.By)
			default:
				x.End = now
				return fleet.Decision{Silences: []fleet.Silence{x}, Audit: []fleet.AuditEntry{wordEntry(by, "unsilence", x.Text(), "done", x.ID, now)}}, x, nil
			}
		}
	}
	return fleet.Decision{}, fleet.Silence{}, nearest(ids, id, "silence", "silences lists them")
}

// DeniedWord is the audit entry of a word that its caller may not say.
func DeniedWord(by Caller, w views.AlertWord, err error, now time.Time) fleet.AuditEntry {
	target := strings.Join(append(slices.Clone(w.Alerts[:min(len(w.Alerts), 3)]), w.Matchers...), " ")
	return wordEntry(by, cmp.Or(w.Do, "ack"), cmp.Or(w.At, w.Silence, target), "denied", fleet.Clean(err.Error(), fleet.MaxText), now.UTC())
}

func wordEntry(by Caller, action, target, outcome, reason string, now time.Time) fleet.AuditEntry {
	return fleet.AuditEntry{At: now, Who: by.User, From: by.From, Action: action, Target: fleet.Clean(target, fleet.MaxText), Outcome: outcome, Reason: reason}
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

// alertOf finds an alert by its id or says which is nearest: of a target, those that
// stand on it.
func alertOf(s *fleet.Snapshot, id string) (*fleet.Alert, error) {
	if a := s.Alerts.Find(id); a != nil {
		return a, nil
	}
	var ids, standing []string
	if s.Alerts != nil {
		for _, a := range s.Alerts.List {
			ids = append(ids, a.ID())
		}
	}
	for _, a := range s.Alerts.Of(id) {
		if a.Active() {
			standing = append(standing, a.ID())
		}
	}
	if len(standing) > 0 {
		return nil, nearest(nil, id, "alert", "on "+id+" stands "+strings.Join(standing, ", "))
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
