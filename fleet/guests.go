package fleet

// Guests says who stands on what, by dense numbers: which instances a device, a
// host or a cloud carries, and which services are carried by a device. It is
// made with the tables that it speaks of and never written after that, so that
// the loss of a feed is followed without a look at every instance.
type Guests struct {
	onDevice, onHost, onCloud, serves lists
	loose                             []int32
	service                           []int32 // by instance
	runs                              []bool  // by instance
	running                           []int32 // by service
}

// lists are many short lists in one: list n is all[from[n]:from[n+1]].
type lists struct{ from, all []int32 }

func (l *lists) of(n int) []int32 {
	if n < 0 || n+1 >= len(l.from) {
		return nil
	}
	return l.all[l.from[n]:l.from[n+1]]
}

// listed sorts the numbers below count into n lists; in says which list one
// belongs to, -1 for none. Within a list they stay in their order.
func listed(n, count int, in func(int) int) lists {
	l := lists{from: make([]int32, n+2)}
	at := make([]int32, count)
	for i := range at {
		at[i] = int32(in(i))
		if at[i] >= 0 {
			l.from[at[i]+2]++
		}
	}
	for k := 2; k < len(l.from); k++ {
		l.from[k] += l.from[k-1]
	}
	l.all = make([]int32, l.from[n+1])
	for i, k := range at {
		if k >= 0 {
			l.all[l.from[k+1]] = int32(i)
			l.from[k+1]++
		}
	}
	l.from = l.from[:n+1]
	return l
}

// OnDevice are the instances on a device of ours.
func (g *Guests) OnDevice(n int) []int32 { return g.onDevice.of(n) }

// OnHost are the instances on a hypervisor that is no device of ours.
func (g *Guests) OnHost(n int) []int32 { return g.onHost.of(n) }

// OnCloud are the instances of a cloud of which nobody sees the host.
func (g *Guests) OnCloud(n int) []int32 { return g.onCloud.of(n) }

// Loose are the instances that stand on no device of ours.
func (g *Guests) Loose() []int32 { return g.loose }

// Serves are the services that a device carries itself.
func (g *Guests) Serves(n int) []int32 { return g.serves.of(n) }

// Service is the service that an instance carries, -1 for none.
func (g *Guests) Service(instance int) int { return int(g.service[instance]) }

// Runs reports whether an instance serves.
func (g *Guests) Runs(instance int) bool { return g.runs[instance] }

// Running is how many instances of a service serve.
func (g *Guests) Running(service int) int { return int(g.running[service]) }

// Of reports whether it speaks of a snapshot's tables.
func (g *Guests) Of(s *Snapshot) bool {
	return g != nil && len(g.runs) == s.Instances.Len() && len(g.running) == s.Services.Len() && len(g.onDevice.from) == s.Devices.Len()+1 &&
		len(g.onHost.from) == s.Hosts.Len()+1 && len(g.onCloud.from) == s.Clouds.Len()+1
}

// NewGuests looks at every instance and service of a snapshot.
func NewGuests(s *Snapshot) *Guests {
	n := s.Instances.Len()
	g := &Guests{service: make([]int32, n), runs: make([]bool, n)}
	device := make([]int32, n)
	for i := range n {
		x := s.Instances.At(i)
		device[i], g.service[i] = int32(x.Device), -1
		g.runs[i] = x.State == StateOK || x.State == StateWarn
		if x.Device < 0 {
			g.loose = append(g.loose, int32(i))
		}
	}
	g.onDevice = listed(s.Devices.Len(), n, func(i int) int { return int(device[i]) })
	g.findHosts(s)
	g.findServices(s)
	return g
}

// findHosts sorts what is loose by the hypervisor that it names, where its cloud
// lists that, else by its cloud.
func (g *Guests) findHosts(s *Snapshot) {
	type key struct{ cloud, host string }
	known := map[key]int{} // as few as there are hosts
	hosts := make([]int32, len(g.loose))
	for k, i := range g.loose {
		x := s.Instances.At(int(i))
		at := key{x.Cloud, x.Host}
		n, ok := known[at]
		if !ok {
			if n = -1; x.Host != "" {
				n = s.Hosts.Number(x.Cloud + "/" + x.Host)
			}
			known[at] = n
		}
		hosts[k] = int32(n)
	}
	g.onHost = listed(s.Hosts.Len(), len(g.loose), func(k int) int { return int(hosts[k]) })
	g.onCloud = listed(s.Clouds.Len(), len(g.loose), func(k int) int {
		if hosts[k] >= 0 {
			return -1
		}
		return s.Clouds.Number(s.Instances.At(int(g.loose[k])).Cloud)
	})
	for _, l := range [...]lists{g.onHost, g.onCloud} {
		for k := range l.all {
			l.all[k] = g.loose[l.all[k]]
		}
	}
}

func (g *Guests) findServices(s *Snapshot) {
	g.running = make([]int32, s.Services.Len())
	var devices, services []int32
	for k := range g.running {
		v := s.Services.At(k)
		for _, i := range v.Instances {
			if g.service[i] = int32(k); g.runs[i] {
				g.running[k]++
			}
		}
		for _, n := range v.Devices {
			devices, services = append(devices, int32(n)), append(services, int32(k))
		}
	}
	g.serves = listed(s.Devices.Len(), len(devices), func(i int) int { return int(devices[i]) })
	for k := range g.serves.all {
		g.serves.all[k] = services[g.serves.all[k]]
	}
}
