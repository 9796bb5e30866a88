package export

import (
	"time"

	"plumb/fleet"
)

// Cloud is a cloud region with how well it can be seen.
type Cloud struct {
	Name       string       `json:"name"`
	Provider   fleet.Source `json:"provider"`
	Region     string       `json:"region"`
	State      fleet.State  `json:"state"`
	Hosts      int          `json:"hosts"`
	Instances  int          `json:"instances"`
	BlindSince *time.Time   `json:"blind_since"`
	SeenAt     *time.Time   `json:"seen_at"`
	AgeS       *int64       `json:"age_s"`
	Error      *string      `json:"error"`
	Reasons    []string     `json:"reasons"`
}

// Clouds lists the clouds.
func Clouds(s *fleet.Snapshot, now time.Time) []Cloud {
	hosts, instances := map[string]int{}, map[string]int{}
	for _, h := range s.Hosts.All() {
		hosts[h.Cloud]++
	}
	for _, x := range s.Instances.All() {
		instances[x.Cloud]++
	}
	out := make([]Cloud, 0, s.Clouds.Len())
	for id, c := range s.Clouds.All() {
		out = append(out, Cloud{Name: id, Provider: c.Spec.Endpoint.Source, Region: c.Spec.Region, State: c.State, Hosts: hosts[id], Instances: instances[id],
			BlindSince: when(c.BlindSince), SeenAt: when(c.SeenAt), AgeS: age(now, c.SeenAt), Error: problem(c.Err), Reasons: list(c.Reasons)})
	}
	return out
}

// problem is what went wrong in the last look, in the wire's own words.
func problem(e *fleet.ProbeError) *string {
	if e == nil {
		return nil
	}
	text := fleet.Clean(e.Op+": "+e.Err.Error(), fleet.MaxText)
	return &text
}
