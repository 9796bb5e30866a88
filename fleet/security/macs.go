package security

import (
	"slices"
	"strconv"

	"plumb/fleet"
)

const (
	defaultMACs = 8 // a server, its BMC and a few guests
	likeLeast   = 5 // ports of its like that must be there to speak
	likeTimes   = 2 // how much more than nearly all of them is more
)

// manyMACs counts the addresses behind each port of a switch that is meant for
// one server and that leads to no other switch.
func manyMACs(c *Check, v *view) []fleet.Look {
	known := v.d.Deep[fleet.TableFDB] == fleet.Complete && v.scene.young(v.d.DeepAt, fleet.LaneSlow)
	counts := addresses(v.d.FDB)
	likes := map[string][]int{} // what ports of one like have learned, in order
	type access struct {
		port, like string
		far        fleet.Attachment
		learned    int
	}
	var ports []access
	for i := range v.d.Ports {
		p := &v.d.Ports[i]
		if far, like := v.access(p.Name); like != "" {
			n := counts[p.Name] + counts[p.LAG] // an aggregate learns for its members
			ports = append(ports, access{p.Name, like, far, n})
			likes[like] = append(likes[like], n)
		}
	}
	for _, list := range likes {
		slices.Sort(list)
	}
	looks := make([]fleet.Look, len(ports))
	for i, p := range ports {
		looks[i] = fleet.Look{Facet: c.ID + " " + p.port, Known: known}
		limit := v.scene.limitMACs(likes[p.like], p.learned)
		if !known || p.learned <= limit {
			continue
		}
		for 2*limit < p.learned { // in steps, or it would say something else at each poll
			limit *= 2
		}
		more := "more than " + strconv.Itoa(limit)
		f := v.scene.finding(c, fleet.ClassUnmanaged, more, p.port+", meant for "+v.scene.Device(p.far.Device).Spec.ID+" "+p.far.Part+" alone, has learned "+more+" addresses")
		f.Evidence, f.Confidence = "fdb of "+v.d.Spec.ID, fleet.ConfidenceMedium
		looks[i].Found = f
	}
	return looks
}

// addresses counts the addresses of each port, one that is learned in several
// VLANs once.
func addresses(fdb []fleet.FDBEntry) map[string]int {
	type pair struct{ port, mac string }
	seen, counts := make(map[pair]bool, len(fdb)), map[string]int{}
	for i := range fdb {
		if k := (pair{fdb[i].Port, fdb[i].MAC}); k.port != "" && !seen[k] {
			seen[k] = true
			counts[k.port]++
		}
	}
	return counts
}

// access is the server that a port is meant for and what ports are its like:
// those for servers of one role, and their BMCs apart. like is empty for a port
// that is no access port, by intention or by what it hears.
func (v *view) access(port string) (far fleet.Attachment, like string) {
	far, ok := v.scene.Cabled[v.d.Spec.ID+"/"+port]
	if !ok || v.scene.Device(far.Device).Spec.Kind != fleet.KindServer {
		return far, ""
	}
	for i := range v.d.Neighbors {
		if n := &v.d.Neighbors[i]; n.LocalPort == port && v.switches(n.RemoteName) {
			return far, ""
		}
	}
	cable := fleet.Cable{NIC: far.Part}
	return far, strconv.FormatBool(cable.Management()) + v.scene.Device(far.Device).Spec.Tags["role"]
}

func (v *view) switches(name string) bool {
	n := v.scene.Number(name)
	return n >= 0 && switching(v.scene.Device(n))
}

// limitMACs is how many addresses a port may have: what the user says, else the
// default or a multiple of what at least four of five others of its like stay
// within.
func (sc *Scene) limitMACs(likes []int, own int) int {
	if n := sc.policies().PortMACs; n > 0 {
		return n
	}
	i, _ := slices.BinarySearch(likes, own)
	others := slices.Delete(slices.Clone(likes), i, i+1)
	if len(others) < likeLeast {
		return defaultMACs
	}
	return max(defaultMACs, likeTimes*others[(4*len(others)+4)/5-1])
}
