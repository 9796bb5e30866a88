package views

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// lifeSpan is how far back the life of an alert is told.
const lifeSpan = 24 * time.Hour

func lifeQuery(a *fleet.Alert) fleet.Query {
	return fleet.Query{Kind: fleet.QueryHistory, Target: a.Target, Table: fleet.TableAlerts, Span: lifeSpan, Limit: 400}
}

// moment is one thing that happened to an alert.
type moment struct {
	at   time.Time
	text string
	st   widget.Style
}

// lifeLines tells the life of an alert from the versions that the store kept of
// it: when it pended, fired, was held, acknowledged and silenced, and when it was
// over. Whom it was told the groups say that it is in.
func lifeLines(f Frame, a *fleet.Alert) []line {
	list, known := lived(f, a)
	list = append(list, toldTo(f, a)...)
	slices.SortStableFunc(list, func(x, y moment) int { return x.at.Compare(y.at) })
	var out []line
	if !known {
		out = append(out, line{text: "loading; this is what it says of itself", style: widget.Dim})
	}
	const most = 24
	if drop := len(list) - most; drop > 0 {
		out = append(out, line{text: fleet.Count(drop, "earlier line") + " not shown", style: widget.Dim})
		list = list[drop:]
	}
	for _, m := range list {
		out = append(out, line{label: clock(f, m.at), text: m.text, style: m.st})
	}
	return out
}

// lived reads the versions of an alert; where they are not there yet, it is what
// the alert itself remembers.
func lived(f Frame, a *fleet.Alert) (out []moment, known bool) {
	var answer fleet.Answer
	if f.Answers != nil {
		answer, known = f.Answers.Get(lifeQuery(a))
	}
	was := &fleet.Alert{}
	row := a.Rule
	if a.Part != "" {
		row += " " + a.Part
	}
	read := 0
	for i := range answer.Changes {
		c := &answer.Changes[i]
		if c.Row != row {
			continue
		}
		now := &fleet.Alert{}
		if len(c.Value) > 0 && json.Unmarshal(c.Value, now) != nil {
			continue
		}
		read++
		out = append(out, turned(f, was, now, c.At)...)
		was = now
	}
	if read > 0 {
		return out, true
	}
	return turned(f, &fleet.Alert{}, a, f.At), known && answer.Err == nil
}

// turned says what differs between two versions of an alert.
func turned(f Frame, was, now *fleet.Alert, at time.Time) (out []moment) {
	say := func(at time.Time, text string, st widget.Style) { out = append(out, moment{at, text, st}) }
	fresh := !now.Since.Equal(was.Since)
	if fresh && !now.Since.IsZero() {
		say(now.Since, "first bad look", widget.Plain)
	}
	if !now.Fired.IsZero() && !now.Fired.Equal(was.Fired) {
		say(now.Fired, "fires, "+now.Severity.String(), widget.SeverityStyle(now.Severity))
	} else if now.Severity != was.Severity && now.State == fleet.AlertFiring {
		say(at, "is "+now.Severity.String()+" now", widget.SeverityStyle(now.Severity))
	}
	switch {
	case now.Held != nil && (was.Held == nil || was.Held.By != now.Held.By):
		say(now.Held.At, "held by "+now.Held.By, widget.Plain)
	case now.Held == nil && was.Held != nil && now.Active():
		say(at, "let go: it outlives "+was.Held.By, widget.Bold)
	}
	switch {
	case now.Ack != nil && (was.Ack == nil || !was.Ack.At.Equal(now.Ack.At)):
		say(now.Ack.At, strings.TrimSuffix("acknowledged by "+now.Ack.By+": "+now.Ack.Reason, ": "), widget.Bold)
	case now.Ack == nil && was.Ack != nil && now.Active():
		say(at, "the ack of "+was.Ack.By+" ended", widget.Plain)
	}
	if now.Silenced != was.Silenced {
		switch {
		case now.Silenced != "":
			say(at, silencedText(f, now.Silenced), widget.Plain)
		case now.Active():
			say(at, "silenced no more", widget.Plain)
		}
	}
	if now.Flapping != was.Flapping {
		say(at, map[bool]string{true: "begins to flap", false: "flaps no more"}[now.Flapping], widget.Plain)
	}
	if now.Stale.IsZero() != was.Stale.IsZero() && now.Active() {
		say(at, map[bool]string{true: "seen again", false: "not seen any more: it stays what it was"}[now.Stale.IsZero()], widget.Unknown)
	}
	if !now.Ended.IsZero() && !now.Ended.Equal(was.Ended) {
		say(now.Ended, "over", widget.OK)
	}
	return out
}

// toldTo is what was told of an alert, and to whom, as its groups remember it.
func toldTo(f Frame, a *fleet.Alert) (out []moment) {
	id := ""
	for i := range f.Snap.Alerts.Groups {
		g := &f.Snap.Alerts.Groups[i]
		if len(g.Told) == 0 && !slices.Contains(a.Groups, g.Key) {
			continue
		}
		if id == "" {
			id = a.ID()
		}
		switch at := g.Heard(id); {
		case !at.IsZero():
			status, _, _ := strings.Cut(g.Told[id].As, " ")
			if r := f.Snap.Undelivered(g.Receiver, at); r != nil {
				out = append(out, moment{at, "waits for " + g.Receiver + ": " + status + "; it takes nothing since " + r.Failing.UTC().Format("15:04:05") + ": " + r.Error, widget.Warn})
				continue
			}
			out = append(out, moment{at, "told to " + g.Receiver + ": " + status, widget.Link})
		case slices.Contains(a.Groups, g.Key) && a.Loud():
			out = append(out, moment{g.Due(f.At), "is to be told to " + g.Receiver, widget.Dim})
		}
	}
	return out
}
