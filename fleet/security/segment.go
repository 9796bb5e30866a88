package security

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// segments holds each port that a device hangs on against each segment that
// says anything of it.
func segments(c *Check, v *view) []fleet.Look {
	var looks []fleet.Look
	a, list := v.attached(), v.scene.policies().Segments
	for i := range list {
		seg := &list[i]
		for k := range v.d.Spec.Links {
			cable := &v.d.Spec.Links[k]
			selected, speaks := v.spokenOf(seg, cable)
			if !speaks {
				continue
			}
			look := fleet.Look{Facet: c.ID + " " + seg.Name + " " + cable.NIC}
			if m := membership(a, cable); m != nil && m.Known {
				look.Known = true
				look.Found = v.segment(c, seg, m, selected)
			}
			looks = append(looks, look)
		}
	}
	return looks
}

// spokenOf reports whether a segment picks the port of a cable, and whether it
// says anything of it at all: one with VLANs of its own does of every port.
func (v *view) spokenOf(seg *fleet.Segment, cable *fleet.Cable) (selected, speaks bool) {
	selected = picks(seg.Select, v.d.Spec, &fleet.Membership{Management: cable.Management()})
	return selected, len(seg.VLANs) > 0 || selected && len(seg.Never)+len(seg.Apart) > 0
}

// unsegmented counts the cables that no segment says anything of.
func unsegmented(v *view) (n int) {
	if switching(v.d) {
		return 0
	}
	for k := range v.d.Spec.Links {
		if !slices.ContainsFunc(v.scene.policies().Segments, func(seg fleet.Segment) bool {
			_, speaks := v.spokenOf(&seg, &v.d.Spec.Links[k])
			return speaks
		}) {
			n++
		}
	}
	return n
}

// membership is what the far end of a cable shows, nil where nobody looked.
func membership(a *fleet.Attached, cable *fleet.Cable) *fleet.Membership {
	if a == nil {
		return nil
	}
	for i := range a.Ports {
		if m := &a.Ports[i]; m.NIC == cable.NIC && m.Switch+"/"+m.Port == cable.To {
			return m
		}
	}
	return nil
}

func (v *view) segment(c *Check, seg *fleet.Segment, m *fleet.Membership, selected bool) *fleet.Finding {
	var wrong []string
	for _, vlan := range m.VLANs {
		if why := v.breach(seg, m, vlan, selected); why != "" {
			wrong = append(wrong, "VLAN "+strconv.Itoa(vlan)+", "+why)
		}
	}
	if wrong == nil {
		return nil
	}
	f := v.scene.finding(c, fleet.ClassUnmanaged, numbers(m.VLANs), m.NIC+" at "+m.Switch+"/"+m.Port+" is a member of "+strings.Join(wrong, ", and of "))
	f.Evidence = "vlans of " + m.Switch
	if seg.Reason != "" {
		f.Fix = seg.Reason + ": " + f.Fix
	}
	return f
}

// breach says why a port must not be a member of a VLAN, "" where it may.
func (v *view) breach(seg *fleet.Segment, m *fleet.Membership, vlan int, selected bool) string {
	switch inside := slices.Contains(seg.VLANs, vlan); {
	case selected && slices.Contains(seg.Never, vlan):
		return "on which segment " + seg.Name + " must never be"
	case selected && len(seg.Apart) > 0 && v.shared(seg, m, vlan):
		return "which is shared with what segment " + seg.Name + " is kept apart from"
	case selected && len(seg.VLANs) > 0 && !inside && !v.belongs(m, vlan):
		return "outside of segment " + seg.Name + " (" + numbers(seg.VLANs) + ")"
	case !selected && inside && !v.belongs(m, vlan):
		return "which is segment " + seg.Name + "'s alone"
	}
	return ""
}

// belongs reports whether any segment that picks the port has the VLAN: what
// one allows the others do not forbid.
func (v *view) belongs(m *fleet.Membership, vlan int) bool {
	return slices.ContainsFunc(v.scene.policies().Segments, func(seg fleet.Segment) bool {
		return slices.Contains(seg.VLANs, vlan) && picks(seg.Select, v.d.Spec, m)
	})
}

// shared reports whether another device of the site that the segment is kept
// apart from is on the VLAN.
func (v *view) shared(seg *fleet.Segment, m *fleet.Membership, vlan int) bool {
	others := v.scene.Cohorts[SiteKey(v.d.Spec.Site)][factApart+seg.Name][strconv.Itoa(vlan)]
	for _, f := range SiteFacts(v.d.Spec, v.d.Attached, v.scene.policies()) {
		if f.Name == factApart+seg.Name && f.Value == strconv.Itoa(vlan) {
			others-- // the device itself
		}
	}
	return others > 0
}
