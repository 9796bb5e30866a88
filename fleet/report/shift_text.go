package report

import (
	"fmt"
	"strings"

	"plumb/fleet"
)

// Markdown writes the hand-over of a shift.
func (s *Shift) Markdown() string {
	p := &page{}
	p.head(1, "On-call hand-over, %s UTC", stamp(s.Period.Until))
	p.coverage(s.Period)
	p.say("Open: %s. For somebody to look at: %d.", fleet.Count(len(s.Open), "alert"), s.Waiting)
	p.head(2, "Open alerts")
	var list []string
	for i := range s.Open {
		list = append(list, s.Open[i].words())
	}
	p.items("None is open.", list)
	p.head(2, "Silences that end within the next shift")
	p.say("What they cover then is told again, where it still stands.")
	p.gap()
	p.rows("None ends.", quietHead, quietRows(s.Ending))
	if len(s.Standing) > 0 {
		p.head(2, "Silences that outlast it")
		p.rows("", quietHead, quietRows(s.Standing))
	}
	p.head(2, "What fired in the shift, by cause")
	var rows [][]string
	for _, c := range s.Calls {
		state := "over, " + lasted(c.LastedS)
		if c.Open {
			state = "open"
		}
		explains := ""
		if c.Explains > 0 {
			explains = fmt.Sprint(c.Explains)
		}
		rows = append(rows, []string{c.Cause, c.Severity.String(), fmt.Sprint(c.Fired), explains, state, stamp(c.Last), c.Summary})
	}
	p.rows("Nothing fired, and nothing was over.", []string{"Cause", "At worst", "Fired", "Explains", "Is", "Last (UTC)", "What"}, rows)
	p.head(2, "Rules that fired most")
	rows = nil
	for _, n := range s.Noisy[:min(len(s.Noisy), 10)] {
		rows = append(rows, []string{n.Rule, fmt.Sprint(n.Fired - n.Held), fmt.Sprint(n.Held), fmt.Sprint(n.Flaps), fmt.Sprint(n.Targets)})
	}
	p.rows("None fired.", []string{"Rule", "By itself", "Explained", "Flapped", "Targets"}, rows)
	return p.b.String()
}

var quietHead = []string{"Id", "Covers", "Now", "Ends (UTC)", "By", "Reason"}

func quietRows(list []Quiet) (rows [][]string) {
	for _, q := range list {
		rows = append(rows, []string{q.ID, q.Covers, fmt.Sprint(q.Now), stamp(q.Ends), q.By, q.Reason})
	}
	return rows
}

// words says an open alert in a sentence or two.
func (c *Called) words() string {
	out := []string{fmt.Sprintf("**%s** %s, %s since %s UTC: %s", c.ID, c.Severity, c.State, stamp(c.Since), c.Summary)}
	if c.Holds > 0 {
		out = append(out, fmt.Sprintf("it explains %d others", c.Holds))
	}
	switch {
	case c.AckedBy != "" && c.Why != "":
		out = append(out, c.AckedBy+" knows of it: "+c.Why)
	case c.AckedBy != "":
		out = append(out, c.AckedBy+" knows of it")
	case c.State == fleet.AlertFiring && c.Silenced == "":
		out = append(out, "nobody has acknowledged it")
	}
	if c.Until != nil {
		out = append(out, "the ack ends "+stamp(*c.Until))
	}
	if c.Silenced != "" {
		out = append(out, "silenced by "+c.Silenced)
	}
	if c.Flapping {
		out = append(out, "it flaps")
	}
	if c.Stale {
		out = append(out, "it cannot be seen now")
	}
	if c.AtRisk != "" {
		out = append(out, c.AtRisk)
	}
	if c.Runbook != "" {
		out = append(out, c.Runbook)
	}
	return strings.Join(out, "; ") + "."
}
