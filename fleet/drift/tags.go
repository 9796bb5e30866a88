package drift

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Tags lists the tagged VLANs of every port of a device that has light.
func Tags(d *fleet.Device) map[string]string {
	out := map[string]string{}
	own := map[string]int{}
	for i := range d.Ports {
		if p := &d.Ports[i]; p.Up() {
			out[p.Name], own[p.Name] = "", p.VLAN
		}
	}
	list := slices.SortedFunc(slices.Values(d.VLANs), func(a, b fleet.VLAN) int { return a.ID - b.ID })
	for i := range list {
		v := &list[i]
		for _, port := range v.Ports {
			if was, lit := out[port]; lit && own[port] != v.ID && !slices.Contains(v.Untagged, port) {
				out[port] = strings.TrimSpace(was + " " + strconv.Itoa(v.ID))
			}
		}
	}
	return out
}

const tagged = " tagged"

// TagsFacet is the facet of a port's tagged VLANs.
func TagsFacet(port string) string { return "port " + port + tagged }

// tags finds ports whose tagged VLANs changed within a week.
func (j *judge) tags() {
	d := j.Device
	if d.Docket == nil {
		return
	}
	known := j.Readable(fleet.TableVLANs)
	var now map[string]string
	for i := range d.Docket.Past {
		p := &d.Docket.Past[i]
		port, ok := strings.CutSuffix(strings.TrimPrefix(p.Facet, "port "), tagged)
		if !ok {
			continue
		}
		if now == nil {
			now = Tags(d)
		}
		is, lit := now[port]
		if !known || !lit {
			j.look(p.Facet, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: p.Facet, Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: is, Severity: fleet.SeverityWarn, Evidence: "VLANs of " + d.Spec.ID}
		if is == "" {
			f.Class = fleet.ClassMissing
		}
		j.against(f, nil, fleet.ModeExact)
		j.againstWeek(f, fleet.ModeExact)
		j.verdict(f)
	}
}
