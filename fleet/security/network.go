package security

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// netChecks are those of where things hang in the network, in the order in
// which they are listed.
var netChecks = []Check{
	{ID: "net.bmc-vlan", Title: "a BMC is outside of the management VLANs", Severity: fleet.SeverityWarn, How: "where the switches that it is cabled to have learned the address of the BMC",
		Fix: "move the port to a management VLAN, or name its VLAN in policies", about: func(v *view) bool { return v.speaks(fleet.SourceIPMI) }, all: bmcVLAN, at: bmcSeenAt},
	{ID: "net.many-macs", Title: "a server's port learns more addresses than it should", Severity: fleet.SeverityWarn, How: "the addresses that the switch has learned on it",
		Fix: "find out what is plugged in between, or allow more in policies", about: func(v *view) bool { return switching(v.d) }, all: manyMACs, at: func(v *view) time.Time { return v.d.DeepAt }},
	{ID: "net.segment", Title: "a VLAN is open between segments", Severity: fleet.SeverityCrit, How: "the VLANs of the ports that its cables lead to",
		Fix: "take the port out of the VLAN, or change the segment in policies", about: func(v *view) bool { return !switching(v.d) }, all: segments, at: func(v *view) time.Time { return v.d.AttachedAt }, unasked: unsegmented},
}

// switching reports whether a device carries the VLANs of others.
func switching(d *fleet.Device) bool {
	return d.Spec.Kind == fleet.KindSwitch || d.Spec.Kind == fleet.KindRouter
}

// attached is where the device hangs, nil where that is not known or was long ago.
func (v *view) attached() *fleet.Attached {
	if v.d.Attached == nil || !v.scene.young(v.d.AttachedAt, fleet.LaneSlow) {
		return nil
	}
	return v.d.Attached
}

// bmcSeenAt: the switches say where a BMC is, and the BMC which one it is.
func bmcSeenAt(v *view) time.Time {
	if at := v.factsAt(fleet.SourceIPMI); at.Before(v.d.AttachedAt) {
		return at
	}
	return v.d.AttachedAt
}

// bmcVLAN holds a BMC's VLAN against the management VLANs, else against where
// the other BMCs of its site are. Where neither says anything there is nothing
// to see.
func bmcVLAN(c *Check, v *view) []fleet.Look {
	look := fleet.Look{Facet: c.ID}
	a := v.attached()
	if a == nil || a.BMC.VLAN == 0 || !v.read(fleet.SourceIPMI) {
		return []fleet.Look{look}
	}
	is := strconv.Itoa(a.BMC.VLAN)
	base := fleet.Baseline{Name: fleet.BaseIntended}
	text := "intended are "
	if vlans := v.scene.policies().ManagementVLANs; len(vlans) > 0 {
		look.Known = true
		if slices.Contains(vlans, a.BMC.VLAN) {
			return []fleet.Look{look}
		}
		base.Expected = numbers(vlans)
	} else {
		expected, ok := drift.Cohort(v.scene.Cohorts[SiteKey(v.d.Spec.Site)]).Others(factBMC, is)
		look.Known = ok
		if !ok || expected == is {
			return []fleet.Look{look}
		}
		base = fleet.Baseline{Name: fleet.BaseCohort, Expected: expected}
		text = "nearly all other BMCs of " + v.d.Spec.Site + " are on "
	}
	f := v.scene.finding(c, fleet.ClassMoved, is, "its BMC is on VLAN "+is+" at "+a.BMC.Switch+"/"+a.BMC.Port+", "+text+base.Expected)
	f.Baselines, f.Evidence = []fleet.Baseline{base}, "fdb of "+a.BMC.Switch
	if base.Name == fleet.BaseCohort {
		f.Confidence = fleet.ConfidenceMedium
	}
	look.Found = f
	return []fleet.Look{look}
}

func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, " ")
}
