package fleet

import (
	"strings"
	"time"
)

// AlertState is where an alert stands in its life. One that is inactive is not
// there.
type AlertState string

// States of alerts.
const (
	AlertPending  AlertState = "pending"  // the problem is there, not for long or not surely enough
	AlertFiring   AlertState = "firing"   // somebody is to know
	AlertResolved AlertState = "resolved" // over; kept for a while
)

// Alert is one problem of one part of one target that one rule looks for. Like
// all of a snapshot it is never written after it was published.
type Alert struct {
	Rule     string     `json:"rule"`
	Target   string     `json:"target"`         // device, rack, feed, service, part of the graph ...
	Part     string     `json:"part,omitempty"` // "psu1", an ifName, a sensor's key, a facet; empty: the target itself
	State    AlertState `json:"state"`
	Severity Severity   `json:"severity"`

	Since time.Time `json:"since"`          // the first bad look of this episode
	Fired time.Time `json:"fired,omitzero"` // zero: it did not fire in this episode
	Ended time.Time `json:"ended,omitzero"`
	// Quiet is since when the problem is over, while it is kept firing.
	Quiet time.Time `json:"quiet,omitzero"`
	// Stale is since when it cannot be seen: it stays what it was, and no data
	// resolves nothing.
	Stale  time.Time `json:"stale,omitzero"`
	Looked time.Time `json:"looked"`         // the newest look that counted
	Retry  time.Time `json:"retry,omitzero"` // when to look again, while it is soft

	Bad  int  `json:"bad"`  // bad looks of this episode, bounded
	Good int  `json:"good"` // good looks in a row
	Hard bool `json:"hard"` // as many bad looks as the rule asks for
	// Ring holds the last 21 hard states, the newest in the lowest bit, 1 for bad.
	Ring     uint32 `json:"ring,omitempty"`
	Flapping bool   `json:"flapping,omitempty"`

	Held     *Hold  `json:"held,omitempty"`
	Ack      *Ack   `json:"ack,omitempty"`
	Silenced string `json:"silenced,omitempty"` // the id of a silence, or "maintenance NAME"

	Labels   map[string]string `json:"labels"`
	Summary  string            `json:"summary"`
	Cause    string            `json:"cause,omitempty"`
	Evidence string            `json:"evidence,omitempty"`
	Blast    string            `json:"blast,omitempty"` // what is lost with it, and what only loses redundancy
	Runbook  string            `json:"runbook,omitempty"`

	// Places are the ports, outlets and ends of cables that it speaks of: another
	// alert on one of them may be the same trouble seen from its other end.
	Places []string `json:"places,omitempty"`

	// Groups are the keys of the groups that it is told in; nil: not routed yet.
	Groups []string `json:"-"`
}

// ID names the alert: "RULE:TARGET" or "RULE:TARGET/PART".
func (a *Alert) ID() string {
	if a.Part == "" {
		return a.Rule + ":" + a.Target
	}
	return a.Rule + ":" + a.Target + "/" + a.Part
}

// Active reports whether the alert is pending or firing.
func (a *Alert) Active() bool { return a.State != AlertResolved }

// Loud reports whether the alert waits for somebody: it fires, nothing explains
// it, and nobody said that they know or that they do not want to hear of it.
func (a *Alert) Loud() bool {
	return a.State == AlertFiring && a.Held == nil && a.Ack == nil && a.Silenced == ""
}

// Hold says which alert explains another one, which is then not told by itself.
type Hold struct {
	By string    `json:"by"` // id of an alert
	At time.Time `json:"at"`
	// Over is when that one was over: the held one is let go once its target has
	// been seen after it.
	Over time.Time `json:"over,omitzero"`
}

// Ack is somebody's word that they know. It ends when the alert changes, a
// sticky one when it is ok.
type Ack struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"` // zero: it does not expire
	Sticky bool      `json:"sticky,omitempty"`
}

// Stands reports whether the acknowledgement has not expired.
func (a *Ack) Stands(now time.Time) bool {
	return a != nil && (a.Until.IsZero() || now.Before(a.Until))
}

// Acknowledgement is an ack of the alert with an id; one without By takes an
// earlier one back.
type Acknowledgement struct {
	Alert string
	Ack   Ack
}

// Silence keeps alerts from being told for a time. It is kept after its end.
type Silence struct {
	ID       string    `json:"id"`
	Matchers []Matcher `json:"matchers"` // all must hold
	// At is a region, site, rack, feed or device: the silence is a maintenance of
	// it and of all in it, as far as the matchers hold. "": see Matchers.
	At      string    `json:"at,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	By      string    `json:"by"`
	Comment string    `json:"comment"`
}

// Covers reports whether the silence holds at a time.
func (s *Silence) Covers(now time.Time) bool { return !now.Before(s.Start) && now.Before(s.End) }

// Text is what the silence covers, as people write it.
func (s *Silence) Text() string {
	var words []string
	if s.At != "" {
		words = append(words, s.At+" and all in it")
	}
	if len(s.Matchers) > 0 {
		words = append(words, Matching(s.Matchers))
	}
	return strings.Join(words, " ")
}

// Matching is matchers as people write them.
func Matching(list []Matcher) string {
	words := make([]string, len(list))
	for i, m := range list {
		words[i] = m.String()
	}
	return strings.Join(words, " ")
}

// Matcher holds one label against a value: "=" "!=" "=~" "!~", where a pattern
// must match the whole value. A label that is missing is empty.
type Matcher struct {
	Label string `json:"label"`
	Op    string `json:"op"`
	Value string `json:"value"`
}

func (m Matcher) String() string { return m.Label + m.Op + m.Value }

// AlertGroup is what is told together: alerts of one route with the same values
// of the labels that it groups by.
type AlertGroup struct {
	Key      string            `json:"key"`
	Receiver string            `json:"receiver"`
	Labels   map[string]string `json:"labels"`
	Next     time.Time         `json:"next"`          // when it is looked at again; of one that was kept, after it last spoke
	Sent     time.Time         `json:"sent,omitzero"` // zero: nothing was told yet
	// Whole is when all that fires was told last, and not only what had changed.
	Whole time.Time `json:"whole,omitzero"`
	// Told is the last word of each alert, by its id. Each is kept in a row of its
	// own.
	Told map[string]Word `json:"-"`
	// Bundled says that Told came with the group's row, as older stores have it.
	Bundled  bool          `json:"-"`
	Interval time.Duration `json:"interval"`
	Repeat   time.Duration `json:"repeat"`
}

// Word is as what a group told an alert, "firing warn T", and when that changed.
type Word struct {
	As string
	At time.Time
}

// Heard is when a group last said its word of an alert; zero: it has not said any.
func (g *AlertGroup) Heard(id string) time.Time {
	switch w := g.Told[id]; {
	case w.As == "":
		return time.Time{}
	case g.Whole.After(w.At):
		return g.Whole
	default:
		return w.At
	}
}

// Due is when the group is looked at next, as of now: one that has nothing to say
// is looked at again after each interval.
func (g *AlertGroup) Due(now time.Time) time.Time {
	if late := now.Sub(g.Next); late > 0 && g.Interval > 0 {
		return g.Next.Add((late + g.Interval - 1).Truncate(g.Interval))
	}
	return g.Next
}

// Pages is the body of a notice: what one receiver is told about one group.
type Pages struct {
	Receiver string            `json:"receiver"`
	Group    string            `json:"group"` // stable for the group
	Labels   map[string]string `json:"labels"`
	Status   string            `json:"status"` // firing, or resolved where all of them are
	Alerts   []Page            `json:"alerts"` // the worst first
	More     int               `json:"more"`   // that did not fit
}

// Page is one alert as it is told.
type Page struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"` // firing flapping resolved
	Severity Severity          `json:"severity"`
	Since    time.Time         `json:"since"`
	Ended    time.Time         `json:"ended,omitzero"`
	Summary  string            `json:"summary"`
	Cause    string            `json:"cause,omitempty"`
	Evidence string            `json:"evidence,omitempty"`
	Blast    string            `json:"blast,omitempty"`
	Runbook  string            `json:"runbook,omitempty"`
	Holds    int               `json:"holds"` // alerts that it explains
	AckedBy  string            `json:"acked_by,omitempty"`
	Labels   map[string]string `json:"labels"`
}
