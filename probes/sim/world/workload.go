package world

import (
	"fmt"
	"time"
)

// Asked is how the workload of a service can be asked: http, tcp, or "" where
// nothing answers for it.
func (s *Service) Asked() string {
	switch s.Name {
	case "match", "lobby", "auth", "shop":
		return "http"
	case "ledger":
		return "tcp"
	}
	return ""
}

// WorkloadState is what a user of a service meets.
type WorkloadState struct {
	Sick           bool // its own fault: all that carries it is well
	Serving, Total int  // replicas
	Floor          int
	Latency        time.Duration
}

// OK reports whether users are served: fewer than the floor cannot carry the load.
func (s WorkloadState) OK() bool { return !s.Sick && s.Serving >= s.Floor && s.Serving > 0 }

// Workload returns what a user of a service meets at now. A replica serves while
// its machine runs, its kernel too, and one of its cables has light.
func (w *World) Workload(service int, now time.Time) WorkloadState {
	r, t := w.run(now)
	st := WorkloadState{Sick: r.sick[service], Floor: w.Services[service].Floor}
	serves := func(n int) bool {
		s, sv := &r.servers[n], &w.Servers[n]
		return r.booted(n) && !s.hung && r.sites[sv.Site] && (r.links[sv.NIC[0]].up || r.links[sv.NIC[1]].up)
	}
	for i := range w.Instances {
		if w.Instances[i].Service != service {
			continue
		}
		st.Total++
		if in := &r.instances[i]; in.status == "ACTIVE" && serves(w.Hyps[in.host]) {
			st.Serving++
		}
	}
	for n := range w.Servers {
		if w.Servers[n].Service != w.Services[service].Name {
			continue
		}
		st.Total++
		if serves(n) {
			st.Serving++
		}
	}
	ms := 3 + float64(service) + 0.8*ripple(t, 61, float64(service))
	if st.Serving > 0 {
		ms *= float64(st.Total) / float64(st.Serving) // those that are left carry it all
	}
	st.Latency = time.Duration(ms * float64(time.Millisecond))
	return st
}

// pickAsked is pickService among those whose workload can be asked.
func pickAsked(w *World, f *Fault) error {
	if f.Target == "" {
		f.Target = "match"
	}
	if err := pickService(w, f); err != nil {
		return err
	}
	if s := &w.Services[f.ref.N]; s.Asked() == "" || s.Floor == 0 {
		return fmt.Errorf("%w: nothing asks the workload of %q; that of match is asked", ErrNoSuch, f.Target)
	}
	return nil
}
