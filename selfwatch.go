package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/console/config"
	"plumb/fleet"
	"plumb/probes"
	"plumb/store"
)

// plumb watches itself like anything else: what goes wrong with it is said in the
// timeline when it begins and when it ends, and the rules that it comes with call
// somebody. The store says itself when it cannot keep what it is given and when
// the clock has jumped, writers when their receiver takes nothing; here stands
// what none of them can see.

// selfEach is how often plumb looks at itself, and selfTwice how often in a row
// something must be so before it is said.
const (
	selfEach  = 15 * time.Second
	selfTwice = 2
)

// symptom is one thing that may be wrong with plumb.
type symptom struct {
	kind  string
	since int    // looks in a row at which it was so
	said  string // what was said of it last; "": nothing
	each  bool   // what is said anew when it is another thing; else once is enough
}

// look takes what was seen, "" being nothing, and returns what to say of it.
func (y *symptom) look(text, over string) (fleet.Remark, bool) {
	if text == "" {
		y.since = 0
		if y.said == "" {
			return fleet.Remark{}, false
		}
		y.said = ""
		return fleet.Remark{Kind: y.kind, Text: over, Severity: fleet.SeverityInfo}, true
	}
	if y.since++; y.since < selfTwice || y.said == text || y.said != "" && !y.each {
		return fleet.Remark{}, false
	}
	y.said = text
	return fleet.Remark{Kind: y.kind, Text: text, Severity: fleet.SeverityWarn, Asserted: true}, true
}

// watchSelf looks until ctx ends.
func (h *house) watchSelf(ctx context.Context) {
	polls, commits, certs, damage := symptom{kind: "polls"}, symptom{kind: "commits"}, symptom{kind: "certificates", each: true}, symptom{kind: "damage", each: true}
	h.stillSaid(ctx, &polls, &commits, &certs)
	tick := time.NewTicker(selfEach)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s := h.store.Snapshot()
		if s == nil {
			continue
		}
		st, broken := h.store.Stats(), h.ownCerts.look()
		looks := []func() (fleet.Remark, bool){
			func() (fleet.Remark, bool) {
				return certs.look(and(expiring(h.ownCerts.among(*h.certsInUse.Load()), time.Now()), broken), "no certificate of plumb's own expires soon")
			},
			func() (fleet.Remark, bool) { return damage.look(damaged(st), "") },
		}
		if time.Since(h.started) > 2*h.polls.Interval+h.polls.Longest() { // what is remembered is old at first, and commits are few
			looks = append(looks,
				func() (fleet.Remark, bool) {
					return polls.look(overdue(s, h.polls, time.Now()), "polls are in time again")
				},
				func() (fleet.Remark, bool) {
					return commits.look(slow(st, h.polls.Interval), "commits are quick again")
				},
			)
		}
		for _, r := range looks {
			if remark, news := r(); news {
				h.log.Warn("plumb watches itself", "says", remark.Text)
				within, cancel := context.WithTimeout(ctx, selfEach)
				_ = h.store.Apply(within, remark) // what the store does not take the store says
				cancel()
			}
		}
	}
}

// stillSaid takes up what the process before this one said and did not take back:
// it is taken back now when it is no longer so.
func (h *house) stillSaid(ctx context.Context, list ...*symptom) {
	a := h.store.Answer(ctx, fleet.Query{Kind: fleet.QueryEvents, Target: self, Limit: saidMost}, time.Now())
	if a.Err != nil {
		h.log.Warn("what plumb said of itself before this start cannot be read", "err", a.Err)
	}
	for _, y := range list {
		y.resume(a.Events)
	}
}

// self is the target of events about plumb itself, and saidMost how many of the
// newest of them a start looks at.
const (
	self     = "plumb"
	saidMost = 2000
)

// resume finds in events, the newest first, what was said of a symptom last.
func (y *symptom) resume(events []fleet.Event) {
	i := slices.IndexFunc(events, func(e fleet.Event) bool { return e.Source == "plumb" && e.Type == y.kind })
	if i >= 0 && events[i].Asserted {
		y.said = events[i].Text
	}
}

// and joins what is said of two things; "" says nothing.
func and(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// overdue says that polls are behind: devices that answer, and were not asked for
// two of their intervals. One that does not answer is another matter.
func overdue(s *fleet.Snapshot, c probes.Config, now time.Time) string {
	n := 0
	for _, d := range s.Devices.All() {
		if !d.Blind() && !d.SeenAt.IsZero() && len(d.Spec.Endpoints) > 0 && now.Sub(d.SeenAt) > 2*c.Interval+c.Timeout {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fleet.Count(n, "device") + " not polled for two intervals: polling is behind"
}

// certSoon is how long before its end a certificate is spoken of: what renews it
// by itself does so earlier.
const certSoon = 14 * 24 * time.Hour

// expiring names the certificates of plumb's own that are at their end, the first
// to end first.
func expiring(list []config.Certificate, now time.Time) string {
	var out []string
	for _, c := range slices.SortedFunc(slices.Values(list), func(a, b config.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }) {
		switch left := c.NotAfter.Sub(now); {
		case left <= 0:
			out = append(out, fmt.Sprintf("the certificate of %s has expired on %s", c.Setting, c.NotAfter.UTC().Format(time.DateOnly)))
		case left <= certSoon:
			out = append(out, fmt.Sprintf("the certificate of %s expires on %s", c.Setting, c.NotAfter.UTC().Format(time.DateOnly)))
		}
	}
	return strings.Join(out, "; ")
}

// certsAfter are the certificates in use after a reload: those of receivers are
// read anew with it, the others are what they were until a restart.
func certsAfter(was, next []config.Certificate) (out []config.Certificate) {
	told := func(c config.Certificate) bool { return strings.HasPrefix(c.Setting, "alerts.") }
	for _, c := range was {
		if !told(c) {
			out = append(out, c)
		}
	}
	for _, c := range next {
		if told(c) {
			out = append(out, c)
		}
	}
	return out
}

// slow says that commits take longer than the fleet has time for.
func slow(st store.Stats, interval time.Duration) string {
	if st.CommitP99 <= interval {
		return ""
	}
	return fmt.Sprintf("one commit in a hundred takes %v, longer than a poll interval of %v: the disk is too slow", st.CommitP99.Round(time.Millisecond), interval)
}

// damaged says that the store has met what cannot be read. It says so once: that
// stays as it is until it expires, or a backup takes its place.
func damaged(st store.Stats) string {
	records, polls := "", ""
	if st.Broken > 0 || st.Met {
		records = "records of the store are damaged and are left as they are: plumb verify says which"
	}
	if st.Unreadable > 0 {
		polls = "polls in memory could not be read and are not kept: look to this machine's memory"
	}
	return and(records, polls)
}
