//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/internal/benchline"
	"plumb/store"
)

// yard is 500 racks of 18 servers with 36 sensors, a switch with 54 ports and a
// PDU with 24 outlets: 10,000 devices, 510,000 series. Names, serial numbers,
// addresses and times are each device's own; sensors are those of two models.
type yard struct {
	inv *fleet.Inventory
	obs []*fleet.Observation
}

func newYard(racks int) *yard {
	y := &yard{inv: &fleet.Inventory{Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}}
	for _, r := range []string{"ams", "fra", "lhr", "nyc"} {
		y.inv.Regions = append(y.inv.Regions, fleet.RegionSpec{Name: r})
		y.inv.Sites = append(y.inv.Sites, fleet.SiteSpec{Name: r + "1", Region: r})
		y.inv.Feeds = append(y.inv.Feeds, fleet.FeedSpec{Name: r + "1-A", Site: r + "1", BreakerA: fleet.Int(32), Volts: 230, Phases: 1})
	}
	models := [][]*fleet.SensorDef{sensorsOf("R6515", 0), sensorsOf("R7525", 7)}
	for n := range racks {
		y.rack(n, y.inv.Regions[n*len(y.inv.Regions)/racks].Name, models)
	}
	return y
}

func sensorsOf(model string, off int) (defs []*fleet.SensorDef) {
	for i := range 36 {
		d := &fleet.SensorDef{ID: fmt.Sprint(i + 1), Key: fmt.Sprintf("20.0.%02x", i+off)}
		switch {
		case i == 0:
			d.Name, d.Class, d.Unit, d.Limits = "Inlet Temp", fleet.ClassTemperature, "C", fleet.Limits{HighWarn: fleet.Int(38), HighCrit: fleet.Int(42)}
		case i < 12:
			d.Name, d.Class, d.Unit, d.Limits = fmt.Sprintf("%s Temp %d", model, i), fleet.ClassTemperature, "C", fleet.Limits{HighWarn: fleet.Int(85), HighCrit: fleet.Int(95)}
		case i < 20:
			d.Name, d.Class, d.Unit, d.Limits = fmt.Sprintf("Fan%d RPM", i), fleet.ClassFan, "rpm", fleet.Limits{LowCrit: fleet.Int(480), LowWarn: fleet.Int(840)}
		case i < 30:
			d.Name, d.Class, d.Unit, d.Limits = fmt.Sprintf("Voltage %d", i), fleet.ClassVoltage, "V", fleet.Limits{LowCrit: fleet.Dec(105, -1), HighCrit: fleet.Dec(135, -1)}
		default:
			d.Name, d.Class, d.Unit = fmt.Sprintf("PSU%d Input", i), fleet.ClassPower, "W"
		}
		defs = append(defs, d)
	}
	return defs
}

func (y *yard) rack(n int, region string, models [][]*fleet.SensorDef) {
	site, name := region+"1", fmt.Sprintf("%s1-r%03d", region, n)
	id := site + "/" + name
	y.inv.Racks = append(y.inv.Racks, fleet.RackSpec{ID: id, Name: name, Site: site, Region: region, Units: 42})
	add := func(suffix string, kind fleet.DeviceKind, src fleet.Source, unit int) (*fleet.DeviceSpec, *fleet.Observation) {
		y.inv.Devices = append(y.inv.Devices, fleet.DeviceSpec{
			ID: name + suffix, Kind: kind, Rack: id, Site: site, Region: region, Unit: fleet.HalfU(unit), Height: 2, Owner: "team", Env: "prod",
			Endpoints: []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}},
		})
		o := &fleet.Observation{Target: name + suffix, Source: src, Lane: fleet.LaneSlow}
		o.SetTable(fleet.TableFacts, fleet.Complete)
		for _, f := range [...]string{"vendor", "model", "firmware", "board.serial", "bmc.mac", "guid"} {
			o.Facts.Set(f, "x"+f)
		}
		o.Facts.Set(fleet.FactSerial, fmt.Sprintf("SN%d%s", n, suffix))
		o.Facts.Set(fleet.FactPower, "on")
		y.obs = append(y.obs, o)
		return &y.inv.Devices[len(y.inv.Devices)-1], o
	}
	for s := range 18 {
		d, o := add(fmt.Sprintf("-s%02d", s+1), fleet.KindServer, fleet.SourceIPMI, 2+4*s)
		d.Links = []fleet.Cable{{NIC: "eth0", MAC: fmt.Sprintf("52:54:00:%02x:%02x:00", n%256, s), To: fmt.Sprintf("%s-sw/Ethernet%d", name, s+1)}, {NIC: "eth1", To: fmt.Sprintf("%s-sw/Ethernet%d", name, s+25)}}
		d.Power = []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("%s-pa/%d", name, s+1)}}
		o.SetTable(fleet.TableSensors, fleet.Complete)
		for i, def := range models[s%2] {
			v := fleet.Int(int64(20 + i)) // degrees, watts
			switch def.Unit {
			case "rpm":
				v = fleet.Int(int64(4800 + 60*i))
			case "V":
				v = fleet.Dec(119+int64(i%4), -1)
			}
			o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: def, Value: v, State: fleet.StateOK})
		}
	}
	_, o := add("-sw", fleet.KindSwitch, fleet.SourceSNMP, 80)
	o.SetTable(fleet.TablePorts, fleet.Complete)
	o.SetTable(fleet.TableNeighbors, fleet.Complete)
	for i := range 54 {
		p := fleet.Port{PortDef: &fleet.PortDef{Index: i + 1, Name: fmt.Sprintf("Ethernet%d", i+1), Alias: fmt.Sprintf("to %s-s%02d", name, i), Descr: fmt.Sprintf("Ethernet%d", i+1),
			Type: "ethernetCsmacd", MTU: 9214, MAC: fmt.Sprintf("00:1c:73:%02x:%02x:%02x", n/256, n%256, i), Admin: "up", Oper: "up", SpeedBps: fleet.Int(25_000_000_000), VLAN: 208}}
		for c := range fleet.CounterID(fleet.NumCounters) {
			p.Counters.Set(c, uint64(n)*1_000_000, true)
		}
		o.Ports = append(o.Ports, p)
		if i < 18 {
			o.Neighbors = append(o.Neighbors, fleet.Neighbor{LocalPort: p.Name, RemoteName: fmt.Sprintf("%s-s%02d", name, i+1), RemotePort: "eth0", Protocol: "lldp"})
		}
	}
	d, o := add("-pa", fleet.KindPDU, fleet.SourceSNMP, 0)
	d.Feed = site + "-A"
	o.SetTable(fleet.TableOutlets, fleet.Complete)
	for i := range 24 {
		o.Outlets = append(o.Outlets, fleet.Outlet{Index: i + 1, Name: fmt.Sprintf("Outlet %d", i+1), State: "on", CurrentA: fleet.Dec(8, -1), PowerW: fleet.Int(184)})
	}
}

// fill polls every device as often as in two hours into a store in dir, through the
// real engine: as much lies in the journal.
func (y *yard) fill(b *testing.B, dir string) {
	cfg := store.Defaults()
	cfg.Dir, cfg.Gather = dir, time.Nanosecond
	st, err := store.Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- st.Run(context.Background(), engine.Restore(y.inv, fleet.Memory{}, time.Now()), engine.Step, nil)
	}()
	for range 120 {
		for i := 0; i < len(y.obs); i += 126 {
			var in []fleet.Input
			for _, o := range y.obs[i:min(i+126, len(y.obs))] {
				o := *o
				o.At = time.Now().UTC()
				in = append(in, &o)
			}
			if err := st.Apply(b.Context(), in...); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := st.Backfill(b.Context(), "bench", y.past(time.Now().UTC(), 4*time.Hour)); err != nil {
		b.Fatal(err)
	}
	if err := st.Close(); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// past is hours of every series at one poll a minute, with numbers that move.
func (y *yard) past(now time.Time, span time.Duration) func(func(fleet.Readings) bool) {
	return func(yield func(fleet.Readings) bool) {
		snap, out := engine.Step(engine.Restore(y.inv, fleet.Memory{}, now), y.say(now), now)
		_ = snap
		for _, r := range out.Readings {
			for at := now.Add(-time.Minute); now.Sub(at) < span; at = at.Add(-time.Minute) {
				r.At = at
				r.Values = slices.Clone(r.Values)
				for i := range r.Values {
					if n := at.Unix()/60 + int64(i)*7; r.Keys[i].Kind() == fleet.Counter {
						r.Values[i].N -= 1_000_000 + n%97
					} else if n%5 == 0 {
						r.Values[i].N += n%3 - 1
					}
				}
				if !yield(r) {
					return
				}
			}
		}
	}
}

func (y *yard) say(now time.Time) (in []fleet.Input) {
	for _, o := range y.obs {
		o := *o
		o.At = now
		in = append(in, &o)
	}
	return in
}

// forget asks the system to drop a store's files from its memory.
func forget(b *testing.B, dir string) {
	paths, err := filepath.Glob(filepath.Join(dir, "s*.*"))
	if err != nil || len(paths) < 3 {
		b.Fatal(paths, err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkStart opens a store of 10,000 devices and 510,000 series and makes
// the first snapshot of it: what stands between exec and a screen, in elapsed
// time, since that is what somebody waits for. Then the same fleet as of a past
// time.
func BenchmarkStart(b *testing.B) {
	y, dir := newYard(500), b.TempDir()
	y.fill(b, dir)
	past := time.Now().UTC()
	paths, err := filepath.Glob(filepath.Join(dir, "s*.*"))
	if err != nil {
		b.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		sizes[filepath.Ext(path)] += info.Size()
	}
	b.Logf("bytes on disk: %v", sizes)
	cfg := store.Defaults()
	cfg.Dir = dir
	once := func(cold bool) benchline.Line {
		name, goal := "store-start-warm", 100.0
		if cold {
			forget(b, dir)
			name, goal = "store-start-cold", 300
		}
		runtime.GC()
		debug.SetGCPercent(startGC) // as main does
		defer debug.SetGCPercent(steadyGC)
		began, cpu := time.Now(), benchline.CPU()
		ground := make(chan *engine.Ground, 1)
		go func() { ground <- engine.Lay(y.inv) }()
		st, err := store.Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Now()
		m, err := st.Memory(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		read := time.Now()
		s := (<-ground).Restore(m, time.Now())
		took := time.Since(began)
		b.Logf("%s: open %v, memory %v, restore %v, cpu %v", name, opened.Sub(began), read.Sub(opened), time.Since(read), benchline.CPU()-cpu)
		if d := s.Devices.Get("ams1-r000-s01"); len(d.Sensors) != 36 || d.State != fleet.StateOK || len(s.Devices.Get("ams1-r000-sw").Ports) != 54 {
			b.Fatalf("%+v", d)
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
		return benchline.Line{Bench: name, Value: milliseconds(took), Unit: "ms", Goal: goal}
	}
	for b.Loop() {
		once(false)
		benchline.Print(benchline.Median(5, func() []benchline.Line { return []benchline.Line{once(false)} })...)
		benchline.Print(benchline.Median(3, func() []benchline.Line { return []benchline.Line{once(true)} })...)
		y.at(b, "store-at", cfg, past)
		y.at(b, "store-at-hours-ago", cfg, past.Add(-150*time.Minute))
	}
}

// at measures the fleet as of a past time, beside that of now, as where somebody
// looks back: the median of some looks, and what nine of ten of them stay under. The
// first look, which maps the file's pages, is told by itself.
func (y *yard) at(b *testing.B, name string, cfg store.Config, past time.Time) {
	st, err := store.Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	ground := engine.Lay(y.inv)
	mem, err := st.Memory(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	now := ground.Restore(mem, time.Now())
	defer runtime.KeepAlive(now)
	var looks []time.Duration
	for range 31 {
		began := time.Now()
		m, err := st.At(b.Context(), past)
		if err != nil {
			b.Fatal(err)
		}
		read := time.Now()
		s := ground.Restore(m, past)
		took := time.Since(began)
		b.Logf(name+": memory %v, restore %v", read.Sub(began), time.Since(read))
		if d := s.Devices.Get("ams1-r000-s01"); s.Devices.Len() != len(y.obs) || name == "store-at" && len(d.Sensors) != 36 || len(m.Readings) != len(y.obs) {
			b.Fatalf("%d readings, %+v", len(m.Readings), d)
		}
		looks = append(looks, took)
	}
	first := looks[0]
	slices.Sort(looks)
	note := fmt.Sprintf("nine of ten under %.1f ms; the first, which maps the pages, %.1f ms", milliseconds(looks[len(looks)*9/10]), milliseconds(first))
	benchline.Print(benchline.Line{Bench: name, Value: milliseconds(looks[len(looks)/2]), Unit: "ms", Goal: 100, Note: note})
}
