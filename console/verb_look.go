package console

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/trace"
	"plumb/views"
	"plumb/views/export"
)

// write prints rows; hidden columns are left out of text and Markdown.
func write[T any](c *verbCall, at time.Time, rows []T, hide ...string) error {
	if what := c.noun(); len(rows) == 0 && c.format == export.Text && what != "" {
		if len(c.words) > 0 {
			what += " that match"
		}
		_, err := fmt.Fprintln(c.Stdout, "no "+what)
		return err
	}
	return export.List(c.Stdout, c.format, at, rows, hide, c.width())
}

// noun is what a verb lists: for people a list of nothing is a sentence, and not
// a heading.
func (c *verbCall) noun() string {
	if len(c.Args) == 0 {
		return ""
	}
	switch name := c.Args[0]; name {
	case "causes":
		return "causes: nothing is wrong"
	case "notify":
		return "receivers: nobody is told of alerts, they are shown on screens only"
	case "alerts", "silences", "regions", "racks", "devices", "instances", "clouds", "services", "events", "predictions", "jobs", "runbooks":
		return name
	}
	return ""
}

func runStatus(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	st := export.StatusOf(s, c.now)
	c.code = map[fleet.State]int{fleet.StateOK: exitOK, fleet.StateOff: exitOK, fleet.StateWarn: exitFailed, fleet.StateCrit: exitCrit, fleet.StateUnknown: exitUsage}[st.State]
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, s.At, st)
	}
	n := st.Totals["device"]
	_, err = fmt.Fprintf(c.Stdout, "%s: %d devices (%d ok, %d warn, %d crit, %d unknown, %d off), %d blind, %d instances%s, %d services%s, %d drifted\n",
		st.State, s.Devices.Len(), n["ok"], n["warn"], n["crit"], n["unknown"], n["off"], st.Blind,
		s.Instances.Len(), ailing(st.Totals["instance"]), s.Services.Len(), ailing(st.Totals["service"]), st.DriftOpen)
	return err
}

// ailing says in brackets how many of many are not well, or nothing.
func ailing(n map[string]int) string {
	var out []string
	for _, st := range []fleet.State{fleet.StateCrit, fleet.StateWarn} {
		if k := n[st.String()]; k > 0 {
			out = append(out, strconv.Itoa(k)+" "+st.String())
		}
	}
	if out == nil {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func runRegions(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(0); err != nil {
		return err
	}
	return write(c, s.At, export.Regions(s))
}

func runRacks(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	region := strings.Join(c.words, "")
	if region != "" && s.Regions.Get(region) == nil {
		var ids []string
		for id := range s.Regions.All() {
			ids = append(ids, id)
		}
		return &Failure{"unknown", fmt.Sprintf("%s: no such region", fleet.Clean(region, 40)), "regions: " + strings.Join(ids, ", ")}
	}
	return write(c, s.At, export.Racks(s, region), "region", "alerts")
}

func runDevices(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	filter := strings.Join(c.words, " ")
	if err := views.CheckDeviceFilter(filter, s); err != nil {
		return usage("filter as / does: state:crit kind:pdu rack:r03 age>1d !spare", "devices: %v", err)
	}
	keep := views.DeviceFilter(filter, s, c.now)
	rows := []export.Device{}
	for _, d := range s.Devices.All() {
		if keep(d) {
			rows = append(rows, export.DeviceOf(d, c.now))
		}
	}
	return write(c, s.At, rows, "name", "region", "site", "tenant", "env", "owner", "serial", "firmware", "height", "maintenance", "drift_open", "blind_since", "seen_at", "address")
}

func runDevice(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.want(1, "one device id"); err != nil {
		return err
	}
	d, err := deviceOf(s, c.words[0])
	if err != nil {
		return err
	}
	p := export.PageOf(d, c.now)
	for _, f := range drift.Read(s, d.Spec.ID).Standing {
		p.Findings = append(p.Findings, export.DriftOf(f.Finding, f.Ruling, c.now))
	}
	return export.Object(c.Stdout, c.format, s.At, p)
}

// each runs over one device, or over all.
func each(v *Verbs, c *verbCall, do func(*fleet.Snapshot, *fleet.Device)) (*fleet.Snapshot, error) {
	s, err := v.shown(c)
	if err != nil {
		return nil, err
	}
	if err := c.atMost(1); err != nil {
		return nil, err
	}
	if len(c.words) == 1 {
		d, err := deviceOf(s, c.words[0])
		if err != nil {
			return nil, err
		}
		do(s, d)
		return s, nil
	}
	for _, d := range s.Devices.All() {
		do(s, d)
	}
	return s, nil
}

func runSensors(_ context.Context, v *Verbs, c *verbCall) error {
	rows := []export.Sensor{}
	s, err := each(v, c, func(_ *fleet.Snapshot, d *fleet.Device) { rows = append(rows, export.Sensors(d)...) })
	if err != nil {
		return err
	}
	return write(c, s.At, rows, "device", "at")
}

func runPorts(_ context.Context, v *Verbs, c *verbCall) error {
	rows := []export.Port{}
	s, err := each(v, c, func(_ *fleet.Snapshot, d *fleet.Device) { rows = append(rows, export.Ports(d)...) })
	if err != nil {
		return err
	}
	return write(c, s.At, rows, "index", "descr", "type", "mtu", "mac", "at", "in_octets", "out_octets")
}

func runLinks(_ context.Context, v *Verbs, c *verbCall) error {
	rows, have := []fleet.Link{}, map[fleet.Link]bool{}
	s, err := each(v, c, func(s *fleet.Snapshot, d *fleet.Device) {
		for _, l := range trace.Links(s, d.Spec.ID) {
			if !have[l] { // a cable is found from both of its ends
				have[l] = true
				rows = append(rows, l)
			}
		}
	})
	if err != nil {
		return err
	}
	return write(c, s.At, rows)
}

func runInstances(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(0); err != nil {
		return err
	}
	return write(c, s.At, export.Instances(s), "region", "placement_group", "launched_at", "tags")
}

func runClouds(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	return write(c, s.At, export.Clouds(s, c.now), "blind_since", "seen_at")
}

func runWho(_ context.Context, v *Verbs, c *verbCall) error {
	if v.Registry == nil {
		return &Failure{"unavailable", "who: there is no console in this process", ""}
	}
	return write(c, c.now, v.Registry.Who(c.now))
}

func runFaults(_ context.Context, v *Verbs, c *verbCall) error {
	if v.Faults == nil {
		return &Failure{"unavailable", "faults: this is no demo", "plumb demo injects faults and tells which"}
	}
	return write(c, c.now, v.Faults())
}

func runVersion(_ context.Context, v *Verbs, c *verbCall) error {
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, struct {
			Version string `json:"version"`
		}{v.Version})
	}
	_, err := fmt.Fprintf(c.Stdout, "plumb %s\n", v.Version)
	return err
}

type helpRow struct {
	Verb string     `json:"verb"`
	Args string     `json:"args"`
	Help string     `json:"help"`
	Role fleet.Role `json:"role"`
}

func helpRows(list []verb) []helpRow {
	rows := make([]helpRow, len(list))
	for i, x := range list {
		rows[i] = helpRow{x.name, x.args, x.help, x.least}
	}
	return rows
}

func runHelp(_ context.Context, _ *Verbs, c *verbCall) error {
	list := verbs()
	if len(c.words) == 1 {
		i := slices.IndexFunc(list, func(x verb) bool { return x.name == c.words[0] })
		if i < 0 {
			return &Failure{"unknown", fmt.Sprintf("help: no verb %s", fleet.Clean(c.words[0], 40)), "help lists them"}
		}
		_, err := fmt.Fprintf(c.Stdout, "%s %s [--json|--csv|--md]\n  %s\n  needs role %s\n", list[i].name, list[i].args, list[i].help, list[i].least)
		return err
	}
	if c.format != export.Text {
		return write(c, c.now, helpRows(list))
	}
	var b strings.Builder
	for _, x := range list {
		b.WriteString(fmt.Sprintf("%-46s %s", strings.TrimSpace(x.name+" "+x.args), x.help))
		if c.Role < x.least {
			b.WriteString(" (needs role " + x.least.String() + ")")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nEvery verb takes --json, --ndjson, --csv or --md. TIME is RFC 3339, HH:MM[:SS] (UTC) or -2h.\n")
	_, err := io.WriteString(c.Stdout, b.String())
	return err
}
