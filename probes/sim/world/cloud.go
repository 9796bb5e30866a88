package world

// makeCloud says where instances are and what the cloud says of its hosts. A
// hypervisor whose kernel hangs or that is off is down; what ran on it stays
// ACTIVE, as clouds have it.
func (w *World) makeCloud(r *run, fx *effects) {
	r.hyps = make([]hypRun, len(w.Hyps))
	for h, n := range w.Hyps {
		s := &r.servers[n]
		r.hyps[h] = hypRun{up: r.booted(n) && !s.hung && (r.links[w.Servers[n].NIC[0]].up || r.links[w.Servers[n].NIC[1]].up), status: "enabled", sick: s.hung}
		if fx.retire[h] {
			r.hyps[h].status, r.hyps[h].reason = "disabled", "scheduled retirement: hardware end of life"
		}
	}
	r.instances = make([]instanceRun, len(w.Instances))
	r.hosts = make([]int, len(w.Hyps))
	for i := range w.Instances {
		in := &w.Instances[i]
		s := instanceRun{host: in.Host, status: "ACTIVE"}
		if h, ok := fx.spread[i]; ok {
			s.host = h
		}
		if c, ok := w.state.Instances[in.ID]; ok && c.Status != "" {
			s.status = c.Status
		}
		r.instances[i] = s
		r.hosts[s.host]++
	}
}
