package report

import (
	"fmt"
	"strings"
)

// Markdown writes the report for people.
func (d *Design) Markdown() string {
	p := &page{}
	p.head(1, "Design report, %s UTC", stamp(d.Period.Until))
	p.coverage(d.Period)
	p.say("A rate stands where there are at least %d failures in %d device-months; else it is left open. Failures of many devices at once are listed apart and count for no machine. What stands in the devices' own logs is counted beside: how far back those reach nobody knows, so it makes no rate.", minFailures, minMonths)
	p.rates("Failures by model", "Model", d.Models)
	p.rates("Failures by firmware", "Firmware", d.Firmware)
	p.rates("Troubles of power by how servers are corded", "Cords", d.Racks)
	p.rates("Failures of hypervisors by cloud and zone", "Zone", d.Zones)
	p.head(2, "Many at once")
	var rows [][]string
	for _, x := range d.Common {
		rows = append(rows, []string{stamp(x.At), x.Place, fmt.Sprint(x.Devices), x.Cause})
	}
	p.rows("Never in this period.", []string{"At (UTC)", "Site", "Devices", "Most frequent"}, rows)
	p.head(2, "Stranded capacity by design of racks")
	rows = nil
	for _, x := range d.Stranded {
		rows = append(rows, []string{x.Design, fmt.Sprint(x.Racks), spaced(string(x.Resource)), strings.TrimSuffix(num(x.Amount)+" "+x.Unit, " count"), spaced(x.Binds)})
	}
	p.rows("None.", []string{"Design", "Racks", "Resource", "Stranded", "What binds"}, rows)
	return p.b.String()
}

func (p *page) rates(title, of string, list []Rate) {
	p.head(2, "%s", title)
	var rows [][]string
	quiet, n := 0, 0
	for _, r := range list {
		if r.Failures+r.Logged == 0 {
			quiet, n = quiet+1, n+r.N
			continue
		}
		rate := num(r.Per100)
		if !r.Per100.Known {
			rate = "too few"
		}
		rows = append(rows, []string{r.Of, fmt.Sprint(r.N), fmt.Sprint(r.Failures), fmt.Sprint(r.Devices), num(r.Months), rate, fmt.Sprint(r.Logged), strings.Join(r.Causes, "; ")})
	}
	p.rows("No failure.", []string{of, "n", "Failed", "Devices", "Dev-months", "Per 100", "In logs", "Of what"}, rows)
	if quiet > 0 {
		p.gap()
		p.say("Without a failure: %d of them, with %d devices.", quiet, n)
	}
}
