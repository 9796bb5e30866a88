package drift

import "plumb/fleet"

// Standing is a finding with what people decided about it.
type Standing struct {
	*fleet.Finding
	Ruling *fleet.Ruling // nil: nobody has, or it no longer covers what is observed
}

// Register is what stands against devices and clouds, and how much could be looked at.
type Register struct {
	Standing []Standing // by target and facet, clouds after the devices
	Gone     []Standing // what ended within the last day, the same way
	// Looked and Blind count the facets of these, and those of them
	// that could not be read. Of the past and right after a start they are 0.
	Looked, Blind int
}

// Read lists what stands against the devices that want picks; nil picks all,
// and the clouds.
func Read(s *fleet.Snapshot, want func(*fleet.Device) bool) Register {
	var r Register
	for _, d := range s.Devices.All() {
		if d.Docket != nil && (want == nil || want(d)) {
			r.add(d.Docket)
		}
	}
	if want == nil {
		for _, c := range s.Clouds.All() {
			if c.Docket != nil {
				r.add(c.Docket)
			}
		}
	}
	return r
}

func (r *Register) add(d *fleet.Docket) {
	r.Looked, r.Blind = r.Looked+d.Looked, r.Blind+d.Blind
	for i := range d.Findings {
		f := &d.Findings[i]
		r.Standing = append(r.Standing, Standing{f, rulingOf(d, f)})
	}
	for i := range d.Gone {
		r.Gone = append(r.Gone, Standing{Finding: &d.Gone[i]})
	}
}

// rulingOf is the ruling that made a finding's state what it is.
func rulingOf(d *fleet.Docket, f *fleet.Finding) *fleet.Ruling {
	for i := range d.Rulings {
		if r := &d.Rulings[i]; r.Facet == f.Facet && r.Verdict == f.State {
			return r
		}
	}
	return nil
}

// Find returns a finding that stands, by its id; nil: there is none.
func Find(s *fleet.Snapshot, target, facet string) *Standing {
	var docket *fleet.Docket
	if d := s.Devices.Get(target); d != nil {
		docket = d.Docket
	} else if c := s.Clouds.Get(target); c != nil {
		docket = c.Docket
	}
	for i := range docket.Of() {
		if f := &docket.Findings[i]; f.Facet == facet {
			return &Standing{f, rulingOf(docket, f)}
		}
	}
	return nil
}
