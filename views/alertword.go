package views

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/keys"
)

// AlertWord is what a person says about alerts: that they know of some, that
// some are not to be told for a time, or that they take that back. The session
// hands it to whoever judges again whether the person may.
type AlertWord struct {
	Do       string   // ack unack silence unsilence
	Alerts   []string // ids, of an ack
	Matchers []string // of a silence: LABEL=VALUE ...
	At       string   // of a maintenance: a place, and all in it
	Silence  string   // the id of one that ends
	All      bool     // of a silence: that it leaves nothing out is meant
	For      time.Duration
	Sticky   bool // an ack that stands until the alert is ok
	Reason   string
}

func (AlertWord) intent() {}

// onAlerts carries out what a command means for the alerts of what is selected,
// on whatever screen that is.
func onAlerts(f Frame, v View, c keys.Command) Intent {
	_, id := v.Selected(f)
	if id == "" {
		id = Subject(v)
	}
	switch c.ID {
	case "alert.ack":
		return ackOf(f, acked(f, v), c)
	case "alert.silence":
		return openHush(f, id, false)
	case "alert.maintain":
		return openHush(f, id, true)
	}
	return nil
}

// acked is whose alerts an ack on a view means: what the caret stands on, and on
// the page of a service the service, where the replica under the caret has none.
func acked(f Frame, v View) string {
	_, id := v.Selected(f)
	if s, ok := v.(Service); id == "" || ok && len(f.Snap.Alerts.On(f.Snap, id)) == 0 && len(activeOn(f, s.id)) > 0 {
		return Subject(v)
	}
	return id
}

// meant are the alerts that a person means: those of all that is marked, else of
// what the caret stands on.
func meant(f Frame, selected string) (out []*fleet.Alert) {
	ids := []string{selected}
	if len(f.Marks) > 0 {
		ids = slices.Sorted(maps.Keys(f.Marks))
	}
	seen := map[*fleet.Alert]bool{}
	for _, id := range ids {
		for _, a := range f.Snap.Alerts.On(f.Snap, id) {
			if !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

// ackOf asks for the reason of an acknowledgement, which may be empty, or with
// it says the word. What it is about is what was there when it was asked. Where
// all of it is acknowledged already, it takes that back.
func ackOf(f Frame, selected string, c keys.Command) Intent {
	ids := c.Args
	if len(ids) > 0 {
		ids = ids[1:]
	}
	back := len(ids) > 0 && ids[0] == "back"
	if back {
		ids = ids[1:]
	}
	if len(ids) == 0 {
		list := meant(f, selected)
		if len(list) == 0 {
			return Toast{Text: c.Title + ": no alert stands on " + orNothing(selected)}
		}
		back = true
		for _, a := range list {
			back = back && a.Ack.Stands(f.At)
			ids = append(ids, a.ID())
		}
	}
	if c.Args == nil {
		until, short := "it changes", "a change"
		if d := alert.AckFor(f.Snap); d > 0 {
			until, short = span(d)+" are over, or it changes", span(d)+" or "+short
		}
		name := nameAlerts(ids)
		room := f.Width - promptLeast - 1
		with, label := ids, fitting(room, "ack "+name+" [4h|sticky] reason, if any; else until "+until, "ack "+name+" [4h|sticky] reason; else until "+short, "ack it [4h|sticky] reason; else until "+short)
		if back {
			with, label = append([]string{"back"}, ids...), fitting(room, "take back the ack of "+name+": reason, if any", "take back the ack: reason, if any")
		}
		return Ask{Label: label, Command: c.ID, With: strings.Join(with, "\n")}
	}
	w := AlertWord{Do: "ack", Alerts: ids, Reason: strings.TrimSpace(c.Arg(0))}
	if back {
		w.Do = "unack"
		return w
	}
	for {
		word, rest, _ := strings.Cut(w.Reason, " ")
		d, isTime := lastingOf(word)
		switch {
		case isTime && w.For == 0:
			w.For = d
		case word == "sticky" && !w.Sticky:
			w.Sticky = true
		default:
			return w
		}
		w.Reason = strings.TrimSpace(rest)
	}
}

// lastingOf reads 30m, 4h, 2d or 1w. A bare number is none: a reason may begin
// with one.
func lastingOf(word string) (time.Duration, bool) {
	if word == "" || !strings.ContainsAny(word[len(word)-1:], "mhdw") {
		return 0, false
	}
	seconds, ok := amountOf(word)
	if !ok || seconds < 1 || seconds > 366*86400 {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func nameAlerts(ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	return strconv.Itoa(len(ids)) + " alerts"
}

func orNothing(id string) string {
	if id == "" {
		return "what is selected"
	}
	return id
}
