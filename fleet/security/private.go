package security

import (
	"strings"

	"plumb/fleet"
)

// publicAddresses looks at every instance of a cloud that the user said is to
// be private. Of the others nobody said what is intended, see [unintended].
func publicAddresses(check *Check, c *fleet.Cloud, sc *Scene) []fleet.Look {
	if len(sc.policies().Private) == 0 {
		return nil
	}
	if !sc.wholeTable(&c.Tables[fleet.TableInstances]) {
		return unread(check, c.Docket)
	}
	var looks []fleet.Look
	for _, x := range sc.Instances.All() {
		if x.Cloud != c.Spec.Name || !sc.private(c, &x.Instance) {
			continue
		}
		look := fleet.Look{Facet: check.ID + " " + x.ID, Known: true}
		if list := strings.Join(x.Public, " "); list != "" {
			look.Found = sc.finding(check, fleet.ClassUnmanaged, list, "instance "+x.Name+" has the public address "+list+", and is to have none")
			look.Found.Evidence = "instance " + x.ID + " of " + c.Spec.Name
		}
		looks = append(looks, look)
	}
	return looks
}

// private reports whether a policy says that an instance is to have no public
// address.
func (sc *Scene) private(c *fleet.Cloud, x *fleet.Instance) bool {
	for _, sel := range sc.policies().Private {
		if len(sel) > 0 && chosen(sel, c, x) {
			return true
		}
	}
	return false
}

// chosen reports whether an instance carries everything that is selected.
func chosen(sel map[string]string, c *fleet.Cloud, x *fleet.Instance) bool {
	for k, v := range sel {
		have := x.Tags[k]
		switch k {
		case "cloud":
			have = x.Cloud
		case "region":
			have = c.Spec.Region
		case "project":
			have = x.Project
		case "zone":
			have = x.Zone
		case "type":
			have = x.Type
		case "service":
			have = x.Service
		case "name":
			have = x.Name
		}
		if !fleet.Like(v, have) {
			return false
		}
	}
	return true
}

// unintended counts the instances of a cloud of which nobody said whether they may
// have a public address.
func unintended(c *fleet.Cloud, sc *Scene) (n int) {
	for _, x := range sc.Instances.All() {
		if x.Cloud == c.Spec.Name && !sc.private(c, &x.Instance) {
			n++
		}
	}
	return n
}
