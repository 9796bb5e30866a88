package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// rowsShown bounds a table of the Markdown; the JSON has all.
const rowsShown = 20

// Markdown writes the report for people.
func (o *Ops) Markdown(s *fleet.Snapshot) string {
	p := &page{}
	p.head(1, "Operations report, %s UTC", stamp(o.Period.Until))
	p.coverage(o.Period)
	o.handover(p)
	o.review(p, s)
	return p.b.String()
}

func (o *Ops) handover(p *page) {
	h := &o.Handover
	p.head(2, "Hand-over")
	p.say("Devices: %d ok, %d warn, %d crit, %d unknown, %d off. %d do not answer.", h.Devices["ok"], h.Devices["warn"], h.Devices["crit"], h.Devices["unknown"], h.Devices["off"], h.Blind)
	p.head(3, "What is wrong, by cause")
	var list []string
	for i := range h.Causes {
		list = append(list, h.Causes[i].words())
	}
	p.items("Nothing is wrong.", list)
	p.head(3, "Services that are not well")
	var rows [][]string
	for _, x := range h.Services {
		rows = append(rows, []string{x.Service, x.State.String(), fmt.Sprintf("%d of floor %d", x.Replicas, x.Floor), x.Owner, x.Why})
	}
	p.rows("All services are well.", []string{"Service", "State", "Running", "Owner", "Why"}, rows)
	p.head(3, "What has drifted, and which doors are open")
	rows = nil
	for _, x := range h.Open {
		rows = append(rows, []string{x.Severity.String(), x.Name, x.Text, stamp(x.Since), x.Who})
	}
	p.rows("Nothing has drifted, and no door is known to be open.", []string{"Severity", "Target", "What", "Noticed (UTC)", "Who"}, rows)
	p.head(3, "Under way")
	p.rows("No job is under way.", actHead, actRows(h.Acting))
	p.head(3, "Decisions that end within 7 days")
	rows = nil
	for _, x := range h.RunningOut {
		rows = append(rows, []string{x.Name, x.Facet, string(x.Verdict), stamp(x.Until), x.By, x.Reason})
	}
	p.rows("None ends.", []string{"Target", "What", "Is", "Until (UTC)", "By", "Reason"}, rows)
}

// words says a cause in a sentence or two.
func (c *Cause) words() string {
	since, acting := "since when is not known", "nobody acts on it"
	if c.Since != nil {
		since = "since " + stamp(*c.Since) + " UTC"
	}
	if c.Acting != "" {
		acting = c.Acting
	}
	return fmt.Sprintf("**%s %s** is %s, %s; it explains %d of what is wrong (confidence %s); %s. %s.", c.Kind, c.Name, c.State, since, c.Explains, c.Confidence, acting, strings.Join(c.Evidence, "; "))
}

// rows writes a table of bounded length and says how many were left out.
func (p *page) rows(none string, head []string, rows [][]string) {
	shown := rows[:min(len(rows), rowsShown)]
	p.table(none, head, shown)
	if left := len(rows) - len(shown); left > 0 {
		p.gap()
		p.say("And %d more; the JSON has them.", left)
	}
}

var actHead = []string{"Action", "Target", "By", "State", "Began (UTC)", "Ended (UTC)", "Reason"}

func actRows(list []Act) (rows [][]string) {
	for _, a := range list {
		ended := "-"
		if a.Ended != nil {
			ended = stamp(*a.Ended)
		}
		rows = append(rows, []string{string(a.Action), a.Name, a.By, string(a.State), stamp(a.Began), ended, a.Reason})
	}
	return rows
}

func (o *Ops) review(p *page, s *fleet.Snapshot) {
	r := &o.Review
	p.head(2, "Review of the period")
	p.head(3, "Incidents by cause")
	var rows [][]string
	for _, x := range r.Incidents {
		rows = append(rows, []string{x.Cause, fmt.Sprint(x.Count), fmt.Sprint(x.Open), names(s, x.Targets), lasted(x.TotalS), lasted(x.LongestS), stamp(x.Last)})
	}
	p.rows("There was none.", []string{"Cause", "N", "Open", "Targets", "Total", "Longest", "Last (UTC)"}, rows)
	p.head(3, "Drift")
	o.drift(p)
	p.head(3, "Capacity that ends")
	rows = nil
	for i := range r.Capacity {
		x := &r.Capacity[i]
		rows = append(rows, []string{string(x.Scope) + " " + x.ID, strings.TrimSpace(spaced(string(x.Resource)) + " " + x.Class), used(x), x.Runway, x.Worst})
	}
	p.rows("Nothing is over a limit, and nothing is foreseen to be.", []string{"Where", "What", "Used", "Until", "Worst case"}, rows)
	p.head(3, "Facts that changed")
	rows = nil
	for _, x := range r.Changes {
		who := x.Who
		if who == "" {
			who = "not known"
		}
		rows = append(rows, []string{stamp(x.At), x.Name, x.Facet, x.Was, x.Is, who})
	}
	p.rows("None within the last 7 days, which is as far as it is remembered.", []string{"At (UTC)", "Device", "Fact", "Was", "Is", "Who"}, rows)
	p.head(3, "Jobs done")
	p.rows("None.", actHead, actRows(r.Done))
	p.head(3, "Predictions")
	p.say("%s.", r.Predictions.Record)
	if len(r.Predictions.Next) > 0 {
		p.gap()
		rows = nil
		for _, x := range r.Predictions.Next {
			rows = append(rows, []string{x.Name, x.What, stamp(x.At), stamp(x.High), x.Confidence.String()})
		}
		p.rows("", []string{"Device", "What", "Likely (UTC)", "Latest (UTC)", "Sure"}, rows)
	}
	p.head(3, "Security checks")
	p.covered(r.Security)
	if at := oldestRead(r.Security); at != nil {
		p.gap()
		p.say("The oldest answer that this rests on was read at %s UTC; a door that was opened since is not seen yet.", at.UTC().Format("2006-01-02 15:04:05"))
	}
	p.head(3, "Lifecycle and resilience checks")
	p.covered(r.Lifecycle)
	p.head(3, "Performance checks")
	p.covered(r.Performance)
	p.head(3, "What planning should know")
	var list []string
	for _, f := range r.Findings {
		list = append(list, fmt.Sprintf("%s, %s: %s. To do: %s.", f.Severity, name(s, f.Target), f.Text, f.Fix))
	}
	p.items("Nothing was found.", list)
}

// used says how much of a resource is in use, as far as it is known.
func used(r *capacity.Row) string {
	if !r.Used.Known && !r.Total.Known {
		return "not known"
	}
	return strings.TrimSuffix(num(r.Used)+" of "+num(r.Total)+" "+r.Unit, " count")
}

func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

func (o *Ops) drift(p *page) {
	d := &o.Review.Drift
	p.say("%d open, debt %s weighted days. %d facets were looked at, %d could not be read.", d.Open, num(d.Days), d.Looked, d.Blind)
	if d.OpenThen == nil {
		p.say("What it was at the beginning of the period is not known.")
		return
	}
	p.say("At the beginning of the period: %d open, debt %s.", *d.OpenThen, num(d.DaysThen))
}

// oldestRead is when the oldest answer behind any of the checks was read.
func oldestRead(list []Covered) (oldest *time.Time) {
	for i := range list {
		if at := list[i].ReadAt; at != nil && (oldest == nil || at.Before(*oldest)) {
			oldest = at
		}
	}
	return oldest
}

// covered lists checks that found something, learn still or could not see, and
// counts the others.
func (p *page) covered(list []Covered) {
	head := []string{"Check", "At worst", "Found", "Decided", "Passed", "Not visible"}
	learns := slices.ContainsFunc(list, func(x Covered) bool { return x.Learning > 0 })
	if learns {
		head = append(head, "Learning")
	}
	var rows [][]string
	clear := 0
	for _, x := range list {
		if x.Found+x.Decided+x.NotVisible+x.Learning == 0 {
			clear++
			continue
		}
		row := []string{x.Title, x.Severity.String(), fmt.Sprint(x.Found), fmt.Sprint(x.Decided), fmt.Sprint(x.Passed), fmt.Sprint(x.NotVisible)}
		if learns {
			row = append(row, fmt.Sprint(x.Learning))
		}
		rows = append(rows, row)
	}
	p.rows("Every check found nothing and saw all there is.", head, rows)
	if clear > 0 && len(rows) > 0 {
		p.gap()
		p.say("%d other checks found nothing and saw all there is.", clear)
	}
}
