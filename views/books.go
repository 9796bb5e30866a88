package views

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/keys"
	"plumb/views/widget"
)

// RunBook asks for a run of a runbook that a person has confirmed.
type RunBook struct{ Book, Target, Reason string }

// Answer answers the question that a run waits with.
type Answer struct{ Job, Text string }

func (RunBook) intent() {}
func (Answer) intent()  {}

// Books are the runbooks for one target: those that are of use now first, the
// others with why they are not.
type Books struct {
	id   string
	list list
}

// NewBooks returns the runbooks for a device, a port or an instance.
func NewBooks(id string) View { return Books{id: id} }

// ID implements View.
func (v Books) ID() string { return "runbooks" }

// Crumbs implements View.
func (v Books) Crumbs(Frame) []string { return []string{v.id, "runbooks"} }

// Needs implements View.
func (v Books) Needs(f Frame) []fleet.Query { return cardNeeds(f, hostOf(v.id)) }

// Selected implements View: runbooks mean what the list was opened on.
func (v Books) Selected(f Frame) (kind, id string) { return bookKind(f, v.id), v.id }

func bookKind(f Frame, id string) string {
	switch {
	case f.Snap.Instances.Get(id) != nil:
		return KindInstance
	case strings.Contains(id, "/"):
		return KindPort
	}
	return KindDevice
}

// matches are the books for the target's kind, those of use now first.
func (v Books) matches(f Frame) []runbook.Match {
	var now, free, other []runbook.Match
	for _, b := range f.Books {
		switch m := b.Match(f.Snap, v.id); {
		case m.Holds && len(b.When) == 0: // it says nothing of the target
			free = append(free, m)
		case m.Holds:
			now = append(now, m)
		case m.Fits:
			other = append(other, m)
		}
	}
	return slices.Concat(now, free, other)
}

func bookRows(m []runbook.Match) rows {
	return rows{len(m), func(i int) string { return m[i].Book.Name }}
}

// Handle implements View.
func (v Books) Handle(f Frame, c keys.Command) (View, Intent) {
	m := v.matches(f)
	if c.ID != "enter" {
		v.list, _ = v.list.move(c, bookRows(m), page(f))
		return v, nil
	}
	i := v.list.index(bookRows(m))
	if i < 0 {
		return v, nil
	}
	ask := NewBookRun(m[i].Book, v.id).(BookRun)
	if ask.refused(f) != "" {
		return v, Open{View: ask} // the steps can be read all the same
	}
	return v, Open{View: ask, Ask: &Ask{Label: "reason", Command: "runbook.reason"}}
}

// Draw implements View.
func (v Books) Draw(f Frame, on widget.Canvas) {
	m := v.matches(f)
	h := min(on.H, 2*len(m)+5)
	in := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "runbooks for "+v.id, f.User+" ("+f.Role.String()+")", true)
	at := v.list.index(bookRows(m))
	fit := max(1, (in.H-2)/2)
	top := widget.Window(len(m), at, fit)
	for i := top; i < min(len(m), top+fit); i++ {
		st := widget.Off
		if m[i].Holds {
			st = widget.Plain
		}
		y := 2 * (i - top)
		row := in.Sub(2, y, in.W-3, 2)
		row.Cut(f.Theme, 0, 0, 16, m[i].Book.Name, boldIf(m[i].Holds, st))
		row.Cut(f.Theme, 17, 0, row.W-28, m[i].Book.Title, st)
		row.Right(row.W, 0, "danger "+strconv.Itoa(int(m[i].Book.Danger())), dangerStyle(m[i].Book.Danger(), whyStyle(&m[i])))
		label := "not now: "
		if m[i].Holds {
			label = "of use: "
		}
		row.Cut(f.Theme, 17, 1, row.W-17, label+m[i].Why, widget.Dim)
		if i == at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
	}
	if len(m) == 0 {
		in.Text(2, 0, "there is no runbook for it", widget.Dim)
	} else {
		in.Cut(f.Theme, 2, 2*min(len(m), fit)+1, in.W-3, "nothing happens yet: the next screen shows every step, and asks why", widget.Dim)
	}
	if d := f.Snap.Devices.Get(hostOf(v.id)); d != nil && on.H-h > 6 {
		drawDeviceCard(f, on.Sub(0, h, on.W, on.H-h), d, false)
	}
}

func boldIf(is bool, st widget.Style) widget.Style {
	if is {
		return widget.Bold
	}
	return st
}

// whyStyle is why a match is drawn grey, or "".
func whyStyle(m *runbook.Match) string {
	if m.Holds {
		return ""
	}
	return m.Why
}

// openBooks opens the runbooks for what is selected.
func openBooks(f Frame, v View, id string) Intent {
	if p, ok := v.(Device); ok && f.Snap.Devices.Get(hostOf(id)) == nil {
		id = p.id
	}
	if len(f.Books) == 0 {
		return Toast{Text: "there are no runbooks"}
	}
	return Open{View: NewBooks(id)}
}

// answered reads "JOB TEXT" as it was typed.
func answered(text string) Intent {
	job, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if rest = strings.TrimSpace(rest); job == "" || rest == "" {
		return Toast{Text: "answer: JOB yes, JOB no, or JOB and what is asked for"}
	}
	return Answer{Job: job, Text: rest}
}

// booksFor counts the runbooks that are of use for a target now.
func booksFor(f Frame, id string) (n int) {
	for _, b := range f.Books {
		if len(b.When) > 0 && b.Match(f.Snap, id).Holds {
			n++
		}
	}
	return n
}
