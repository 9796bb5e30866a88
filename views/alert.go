package views

import (
	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Alert is the page of one alert.
type Alert struct {
	id string
	at int // first line shown
}

// NewAlert returns the page of an alert.
func NewAlert(id string) View { return Alert{id: id} }

// ID implements View.
func (v Alert) ID() string { return "alert" }

// Crumbs implements View.
func (v Alert) Crumbs(Frame) []string { return []string{"alerts", v.id} }

// Needs implements View.
func (v Alert) Needs(f Frame) []fleet.Query {
	if a := f.Snap.Alerts.Find(v.id); a != nil {
		return alertNeeds(a)
	}
	return nil
}

// Selected implements View.
func (v Alert) Selected(f Frame) (kind, id string) {
	if f.Snap.Alerts.Find(v.id) == nil {
		return "", ""
	}
	return KindAlert, v.id
}

// Handle implements View.
func (v Alert) Handle(f Frame, c keys.Command) (View, Intent) {
	if c.ID == "copy" {
		return v, Copy{Text: v.id}
	}
	last := 0
	if a := f.Snap.Alerts.Find(v.id); a != nil {
		last = max(0, len(alertLines(f, a))-3)
	}
	v.at = scrolled(f, c, v.at, last)
	return v, nil
}

// Draw implements View.
func (v Alert) Draw(f Frame, on widget.Canvas) {
	a := f.Snap.Alerts.Find(v.id)
	if a == nil {
		in := widget.Box(on, f.Theme, v.id, "", true)
		drawEmpty(f, in, "it is over", "nothing is known of it at this time; esc leads back, and E shows what happened")
		return
	}
	w := min(on.W, 130)
	drawAlert(f, on.Sub((on.W-w)/2, 0, w, on.H), a, v.at)
}
