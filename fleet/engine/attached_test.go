package engine

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/security"
)

// wired is a herd whose BMCs and first NICs hang on one switch.
type wired struct {
	*herd
	inv  *fleet.Inventory
	vlan []int                // of the port of each BMC, as the switch learns its address
	more func(*fleet.PortDef) // what else its ports are set to; nil: nothing
}

func newWired(t *testing.T) *wired {
	t.Helper()
	w := &wired{inv: herdInventory()}
	w.inv.Policies.Facets = []fleet.FacetPolicy{{Facet: "*", Mode: fleet.ModeIgnored}}
	for i := range 7 {
		d := &w.inv.Devices[i]
		d.Links = []fleet.Cable{{NIC: "bmc", To: fmt.Sprintf("sw/Ethernet%d", i+1)}, {NIC: "eth0", To: fmt.Sprintf("sw/Ethernet%d", i+11)}}
		d.Tags = map[string]string{"role": "web"}
		w.vlan = append(w.vlan, 900)
	}
	w.inv.Devices[6].Tags = map[string]string{"role": "db"}
	w.inv.Devices = append(w.inv.Devices, fleet.DeviceSpec{ID: "sw", Kind: fleet.KindSwitch, Rack: "ams1/r01", Site: "ams1", Region: "ams", Endpoints: []fleet.Endpoint{{Source: fleet.SourceSNMP, Address: "127.0.0.1:1"}}})
	w.herd = &herd{t: t, snap: Restore(w.inv, fleet.Memory{}, t0), now: t0, fact: make([]fleet.Facts, 7)}
	for i := range 7 {
		w.set(i, "bmc.mac", fmt.Sprintf("02:00:00:00:00:0%d", i))
	}
	return w
}

// hear has the switch say what it learned, in full.
func (w *wired) hear() {
	o := &fleet.Observation{Target: "sw", Source: fleet.SourceSNMP, At: w.now, Lane: fleet.LaneSlow}
	for _, table := range []fleet.TableID{fleet.TableFacts, fleet.TablePorts, fleet.TableFDB, fleet.TableVLANs} {
		o.SetTable(table, fleet.Complete)
	}
	members := map[int][]string{}
	for i, vlan := range w.vlan {
		bmc, nic := fmt.Sprintf("Ethernet%d", i+1), fmt.Sprintf("Ethernet%d", i+11)
		o.Ports = append(o.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: bmc, VLAN: vlan, Admin: "up", Oper: "up"}}, fleet.Port{PortDef: &fleet.PortDef{Name: nic, VLAN: 10, Admin: "up", Oper: "up"}})
		o.FDB = append(o.FDB, fleet.FDBEntry{MAC: fmt.Sprintf("02:00:00:00:00:0%d", i), Port: bmc, VLAN: vlan})
		members[vlan], members[10] = append(members[vlan], bmc), append(members[10], nic)
	}
	for i := range o.Ports {
		if w.more != nil {
			w.more(o.Ports[i].PortDef)
		}
	}
	for id, ports := range members {
		o.VLANs = append(o.VLANs, fleet.VLAN{ID: id, Ports: ports})
	}
	w.step(o)
}

func (w *wired) round() {
	w.now = w.now.Add(5 * time.Minute)
	w.hear()
	for i := range w.fact {
		w.step(w.say(i, fleet.LaneSlow))
	}
}

// counted holds that what is counted by differences is what a count gives.
func (w *wired) counted(when string) {
	w.t.Helper()
	s := &step{prev: w.snap, next: *w.snap}
	s.open()
	s.next.Cohorts = nil
	s.gatherCohorts()
	key := security.SiteKey("ams1")
	got := fleet.Tally{}
	for fact, values := range w.snap.Cohorts[key] { // one that nobody has any more stays, empty
		if len(values) > 0 {
			got[fact] = values
		}
	}
	if want := s.next.Cohorts[key]; !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
		w.t.Errorf("%s: counted %v, there are %v", when, got, want)
	}
}

func (w *wired) netCheck(id string) security.Tally {
	w.t.Helper()
	for _, t := range security.Coverage(w.snap) {
		if t.ID == id {
			return t
		}
	}
	w.t.Fatalf("no check %s", id)
	return security.Tally{}
}

func TestABMCThatIsMoved(t *testing.T) {
	w := newWired(t)
	for i := range w.fact {
		w.step(w.say(i, fleet.LaneSlow))
	}
	if c := w.netCheck("net.bmc-vlan"); c.NotVisible != 7 || c.Passed != 0 {
		t.Errorf("before the switch said anything: %+v", c)
	}
	w.hear() // nobody has to look at the servers again
	w.agrees("all at home")
	if c := w.netCheck("net.bmc-vlan"); c.Passed != 7 || c.Found != 0 {
		t.Errorf("all at home: %+v", c)
	}
	w.counted("all at home")
	w.vlan[3] = 999
	w.now = w.now.Add(time.Minute)
	w.hear() // nor now, and all but the one stay as they are
	docket := w.snap.Devices.Get("s2").Docket
	f := w.one("s3", "net.bmc-vlan")
	if w.counted("as the switch says"); w.snap.Devices.Get("s2").Docket != docket {
		t.Error("a machine that hangs where it did was judged with the switch")
	}
	w.round()
	f = w.one("s3", "net.bmc-vlan")
	if !strings.Contains(f.Text, "VLAN 999 at sw/Ethernet4, nearly all other BMCs of ams1 are on 900") || f.Evidence != "fdb of sw" {
		t.Errorf("%+v", f)
	}
	w.counted("one was moved")
	w.agrees("one was moved")

	for range 11 { // the switch falls silent, the BMCs do not
		w.now = w.now.Add(time.Minute)
		for i := range w.fact {
			w.step(w.say(i, fleet.LaneSlow))
		}
		w.agrees(w.now.Format("15:04"))
	}
	if c := w.netCheck("net.bmc-vlan"); c.Passed != 0 || c.Found != 1 || c.Stale != 1 {
		t.Errorf("after the switch was silent for 11 minutes: %+v", c)
	}
	w.vlan[3] = 900
	w.round()
	if c := w.netCheck("net.bmc-vlan"); c.Passed != 7 || c.Found != 0 {
		t.Errorf("moved back: %+v", c)
	}
	w.counted("moved back")

	w.inv.Policies.ManagementVLANs = []int{910}
	w.step(fleet.Reload{Inventory: w.inv})
	if c := w.netCheck("net.bmc-vlan"); c.Found != 7 {
		t.Errorf("they all belong elsewhere now: %+v", c)
	}
	w.counted("after a reload")
	w.agrees("after a reload")
}

// TestTiersThatShareAVLAN is a segment whose policy is told, and taken back.
func TestTiersThatShareAVLAN(t *testing.T) {
	w := newWired(t)
	w.round()
	if c := w.netCheck("net.segment"); c.Passed+c.Found+c.NotVisible != 0 || c.NotAsked != 14 {
		t.Errorf("nobody named a segment: %+v", c)
	}
	w.inv.Policies.Segments = []fleet.Segment{
		{Name: "tiers", Select: map[string]string{"role": "web"}, Apart: map[string]string{"role": "db"}},
		{Name: "mgmt", Select: map[string]string{"part": "bmc"}, VLANs: []int{900}},
	}
	w.step(fleet.Reload{Inventory: w.inv})
	w.round()
	w.counted("with segments")
	w.agrees("with segments")
	// Six web servers share VLAN 10 with the db server; of the segment mgmt all 14 cables are in order.
	if c := w.netCheck("net.segment"); c.Found != 6 || c.Passed != 14 || c.NotVisible+c.NotAsked != 0 {
		t.Errorf("%+v", c)
	}
	if f := w.one("s0", "net.segment tiers eth0"); f.Severity != fleet.SeverityCrit || f.Evidence != "vlans of sw" {
		t.Errorf("%+v", f)
	}
	w.vlan[2] = 10
	w.round()
	if f := w.one("s2", "net.segment mgmt bmc"); !strings.Contains(f.Text, "VLAN 10, outside of segment mgmt (900)") {
		t.Errorf("%+v", f)
	}
	w.counted("a BMC among the servers")
	w.inv.Policies.Segments = nil
	w.step(fleet.Reload{Inventory: w.inv})
	w.round()
	w.counted("without segments")
	if c := w.netCheck("net.segment"); c.Found != 0 || c.NotAsked != 14 {
		t.Errorf("no segments any more: %+v", c)
	}
}
