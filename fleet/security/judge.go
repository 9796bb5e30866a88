package security

import (
	"strings"

	"plumb/fleet"
)

// Kinds are the findings that this judge makes.
var Kinds = []fleet.FindingKind{fleet.FindSecurity}

// Judge tries every check on a device. looked counts the checks that are about
// such a device and that no policy turned off, and blind those of them that
// could not be tried.
func Judge(d *fleet.Device, sc *Scene) (looks []fleet.Look, looked, blind int) {
	v := &view{d: d, scene: sc}
	for i := range Checks {
		if c := &Checks[i]; c.concerns(v) && !sc.policy(c).Off {
			looks = append(looks, c.looks(v)...)
		}
	}
	return looks, len(looks), unknown(looks)
}

// unknown counts the looks that saw nothing.
func unknown(looks []fleet.Look) (n int) {
	for i := range looks {
		if !looks[i].Known {
			n++
		}
	}
	return n
}

// wire is the one that brings the facts of a check. How a device hangs in the
// network is told by others.
func (c *Check) wire() fleet.Source {
	wire, _, _ := strings.Cut(c.ID, ".")
	return fleet.Source(wire)
}

// concerns reports whether a check is about a device: BMCs have IPMI's doors,
// and what speaks SNMP has those of SNMP. Those of the network say it themselves.
func (c *Check) concerns(v *view) bool {
	return (c.all != nil || v.speaks(c.wire())) && (c.about == nil || c.about(v))
}

func (c *Check) looks(v *view) []fleet.Look {
	if c.all != nil {
		return c.all(c, v)
	}
	return []fleet.Look{c.try(v)}
}

// try looks once. Half an answer may find something; it never shows that there
// is nothing to find.
func (c *Check) try(v *view) fleet.Look {
	look := fleet.Look{Facet: c.ID}
	if !v.read(c.wire()) {
		return look
	}
	look.Found = c.find(v)
	look.Known = look.Found != nil || c.sees(v)
	return look
}

func (c *Check) find(v *view) *fleet.Finding {
	observed, text := c.look(v)
	if text == "" {
		return nil
	}
	return v.scene.finding(c, fleet.ClassChanged, observed, text)
}

// finding is what a check found, graded as the user wishes.
func (sc *Scene) finding(c *Check, class fleet.Class, observed, text string) *fleet.Finding {
	return &fleet.Finding{Kind: fleet.FindSecurity, Class: class, Observed: observed, Evidence: c.How,
		Severity: sc.severity(c), Confidence: fleet.ConfidenceHigh, Text: text, Fix: c.Fix}
}

func (sc *Scene) severity(c *Check) fleet.Severity {
	if p := sc.policy(c); p.Graded {
		return p.Severity
	}
	return c.Severity
}
