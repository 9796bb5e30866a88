package sim

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/cloud"
	"plumb/probes/ipmi"
	"plumb/probes/snmp"
)

// probe is one of the ordinary probes with its target.
type probe struct {
	fleet.Probe
	target string
}

func give(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

// probes returns an ordinary probe for every device of the fleet.
func (f *Fleet) probes(t testing.TB) (list []probe) {
	t.Helper()
	w := f.World
	for i := range w.Servers {
		p, err := ipmi.New(ipmi.Config{Target: w.Servers[i].Name, Address: f.bmcAddr[i].String(), Username: readUser, Password: give(f.secrets.of("bmc")), ActUsername: actUser, ActPassword: give(f.secrets.of("bmc-act"))})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, probe{p, w.Servers[i].Name})
	}
	for i := range f.snmpAddr {
		cfg := snmp.Config{Address: f.snmpAddr[i].String()}
		switch pdu, ups := i-len(w.Switches), i-len(w.Switches)-len(w.PDUs); {
		case pdu < 0:
			cfg.Target = w.Switches[i].Name
			if w.Switches[i].Spine {
				suite := suites[f.spine(i)%len(suites)]
				cfg.Version, cfg.User, cfg.Auth, cfg.Priv = "3", readUser, suite[0], suite[1]
				cfg.AuthPassword, cfg.PrivPassword = give(f.secrets.of(cfg.Target+"-auth")), give(f.secrets.of(cfg.Target+"-priv"))
			}
		case ups < 0:
			cfg.Target = w.PDUs[pdu].Name
		default:
			cfg.Target = w.UPSes[ups].Name
		}
		cfg.Community = give(f.secrets.of(cfg.Target))
		p, err := snmp.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, probe{p, cfg.Target})
	}
	return append(list, f.cloudProbes(t)...)
}

func (f *Fleet) cloudProbes(t testing.TB) (list []probe) {
	for _, r := range f.World.Regions {
		p, err := cloud.New(cloud.Config{Target: "stack-" + r.Name, Region: r.Name, AuthURL: f.cloudURL, Username: readUser, Password: give(f.secrets.of("cloud")), ProjectName: cloudProject})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, probe{p, "stack-" + r.Name})
	}
	return list
}

// observeAll polls every target once, 32 at a time.
func observeAll(t testing.TB, list []probe, lane fleet.Lane) map[string]*fleet.Observation {
	t.Helper()
	var (
		mu   sync.Mutex
		seen = map[string]*fleet.Observation{}
		gate = make(chan struct{}, 32)
		wg   sync.WaitGroup
	)
	for _, p := range list {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			o, err := p.Observe(ctx, lane)
			if err != nil {
				t.Errorf("%s: %v", p.target, err)
				return
			}
			mu.Lock()
			seen[p.target] = o
			mu.Unlock()
		})
	}
	wg.Wait()
	return seen
}

// The ordinary probes read every device of a small fleet completely, and what
// they read is what the world is.
func TestOrdinaryProbesRead(t *testing.T) {
	f := startFleet(t, Options{Fault: "none", Racks: 2})
	list := f.probes(t)
	began := time.Now()
	seen := observeAll(t, list, fleet.LaneSlow)
	for _, p := range list {
		o := seen[p.target]
		if o == nil || o.Err != nil {
			t.Errorf("%s: %+v", p.target, o)
			continue
		}
		for table, c := range o.Tables {
			if c != fleet.Complete && c != fleet.Absent {
				t.Errorf("%s: %s is %s", p.target, table, c)
			}
		}
		_ = p.Close()
	}
	w := f.World
	for i := range w.Servers {
		o, sv := seen[w.Servers[i].Name], &w.Servers[i]
		if o.Facts.Get(fleet.FactSerial) != sv.Serial || o.Facts.Get(fleet.FactPower) != "on" || o.Facts.Get(fleet.FactFirmware) != sv.Firmware || len(o.Sensors) < 24 {
			t.Errorf("%s: %v, %d sensors", sv.Name, o.Facts, len(o.Sensors))
		}
	}
	for i := range w.Switches {
		o, sw := seen[w.Switches[i].Name], &w.Switches[i]
		if len(o.Ports) != len(sw.Ports) || len(o.Sensors) != 8 || o.Facts.Get(fleet.FactSerial) != sw.Serial {
			t.Errorf("%s: %d ports, %d sensors, %v", sw.Name, len(o.Ports), len(o.Sensors), o.Facts)
		}
		if !sw.Spine && (len(o.Neighbors) < 21 || len(o.FDB) < 18) {
			t.Errorf("%s: %d neighbours, %d addresses", sw.Name, len(o.Neighbors), len(o.FDB))
		}
	}
	for i := range w.PDUs {
		if o := seen[w.PDUs[i].Name]; len(o.Outlets) != 24 || len(o.Sensors) == 0 {
			t.Errorf("%s: %d outlets, %d sensors", w.PDUs[i].Name, len(o.Outlets), len(o.Sensors))
		}
	}
	c := seen["stack-"+w.Regions[0].Name]
	if len(c.Hosts) != len(w.Hyps) || len(c.Instances) != len(w.Instances) {
		t.Errorf("%d hosts, %d instances", len(c.Hosts), len(c.Instances))
	}
	for _, in := range c.Instances {
		if in.Tags["service"] == "" || in.Host == "" {
			t.Fatalf("%+v", in)
		}
	}
	historyMeets(t, f, seen, began)
}

// historyMeets checks that the past ends where the present begins: every
// series that was polled has one, and its newest value is near the polled one.
func historyMeets(t *testing.T, f *Fleet, seen map[string]*fleet.Observation, now time.Time) {
	keys := map[string][]fleet.SeriesKey{}
	vals := map[string][]fleet.Num{}
	for name, o := range seen {
		for _, s := range o.Sensors {
			k, v := fleet.SeriesKey{Table: fleet.TableSensors, Row: s.Key}, s.Value
			if s.Class == fleet.ClassState {
				k.Field, v = fleet.FieldState, fleet.Num{N: int64(s.State), Known: s.State != fleet.StateUnknown}
			}
			keys[name], vals[name] = append(keys[name], k), append(vals[name], v)
		}
		for _, p := range o.Ports {
			for c := range fleet.CounterID(fleet.NumCounters) {
				n, ok := p.Counters.Get(c)
				keys[name] = append(keys[name], fleet.SeriesKey{Table: fleet.TablePorts, Row: p.Name, Field: fleet.FieldCounter + fleet.SeriesField(c)})
				vals[name] = append(vals[name], fleet.Num{N: int64(n), Known: ok})
			}
		}
		for _, x := range o.Outlets {
			row := strconv.Itoa(x.Index)
			keys[name] = append(keys[name], fleet.SeriesKey{Table: fleet.TableOutlets, Row: row, Field: fleet.FieldCurrent}, fleet.SeriesKey{Table: fleet.TableOutlets, Row: row, Field: fleet.FieldPower})
			vals[name] = append(vals[name], x.CurrentA, x.PowerW)
		}
	}
	first := map[string]fleet.Readings{}
	rows := 0
	for r := range f.History(now, func(name string) []fleet.SeriesKey { return keys[name] }) {
		rows++
		if _, ok := first[r.Target]; !ok {
			first[r.Target] = r
		}
	}
	if want := (len(seen) - len(f.World.Regions)) * (120 + 264); rows != want {
		t.Errorf("%d rows of history, want %d", rows, want)
	}
	missing := map[string]int{}
	for name, r := range first {
		for i, k := range r.Keys {
			v, p := r.Values[i], vals[name][i]
			switch {
			case !p.Known:
			case !v.Known:
				missing[string(k.Table.String()+":"+k.Row)]++
			case k.Field >= fleet.FieldCounter:
				if uint64(v.N) > uint64(p.N) {
					t.Errorf("%s %s: the past is at %d, the poll at %d", name, k, v.N, p.N)
				}
			case k.Field == fleet.FieldState:
				if v.N != p.N {
					t.Errorf("%s %s: the past is %v, the poll %v", name, k, fleet.State(v.N), fleet.State(p.N))
				}
			default:
				if a, b := v.Float(), p.Float(); a < b*0.8-3 || a > b*1.25+3 {
					t.Errorf("%s %s: the past ends at %g, the poll says %g", name, k, a, b)
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no past for %v", missing)
	}
}

// TestLoad measures what the simulators cost while the ordinary probes poll
// the default fleet at the demo's pace. The simulators run in a process of
// their own, so that their CPU time is theirs alone.
func TestLoad(t *testing.T) {
	if os.Getenv("PLUMB_LOAD") == "" {
		t.Skip("PLUMB_LOAD is not set: this takes a minute")
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestServeChild$")
	child.Env = append(os.Environ(), "PLUMB_SIM_DIR="+dir)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = child.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "serving") {
		t.Fatalf("%q, %v", line, err)
	}
	// The same fleet, for its addresses and secrets only.
	shadow := &Fleet{opt: Options{Dir: dir, Racks: DefaultRacks, Seed: DefaultSeed, Now: time.Now, Logf: t.Logf}}
	shadow.attach(t)
	list := shadow.probes(t)
	observeAll(t, list, fleet.LaneSlow)
	t.Logf("simulators after the first look: %s", usage(t, child.Process.Pid))
	cpu0, self0 := cpuSeconds(t, child.Process.Pid), cpuSeconds(t, os.Getpid())
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	const rounds = 6
	for k := range rounds {
		lane := fleet.LaneFast
		if k == 0 {
			lane = fleet.LaneTables
		}
		began := time.Now()
		failed := 0
		for _, o := range observeAll(t, list, lane) {
			if o.Err != nil {
				failed++
			}
		}
		t.Logf("%s round: %v, %d failed", lane, time.Since(began), failed)
		<-tick.C
	}
	cpu, self := cpuSeconds(t, child.Process.Pid)-cpu0, cpuSeconds(t, os.Getpid())-self0
	t.Logf("simulators: %.2f CPU-s in %d s = %.1f %% of a core; probes: %.2f CPU-s; %s", cpu, rounds*10, cpu/rounds*10, self, usage(t, child.Process.Pid))
	fmt.Printf(`{"bench":"sim","value":%.2f,"unit":"cpu_s/min","goal":6,"better":"lower","ok":%v}`+"\n", cpu, cpu < 6)
}

// attach fills in what a running fleet of the same directory listens on.
func (f *Fleet) attach(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(f.opt.Dir + "/addresses")
	if err != nil {
		t.Fatal(err)
	}
	if f.file, f.World, err = openFile(f.opt.Dir+"/"+stateFile, f.opt, time.Now()); err != nil {
		t.Fatal(err)
	}
	if f.secrets, err = newSecrets(f.opt.Dir+"/secrets", f.file.key); err != nil {
		t.Fatal(err)
	}
	f.readAddresses(t, string(b))
}

func usage(t *testing.T, pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	var keep []string
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "Threads") {
			keep = append(keep, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(keep, ", ")
}

// cpuSeconds is user and system time of a process (proc(5), in 1/100 s).
func cpuSeconds(t *testing.T, pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	u, _ := strconv.ParseFloat(f[11], 64)
	s, _ := strconv.ParseFloat(f[12], 64)
	return (u + s) / 100
}
