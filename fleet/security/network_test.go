package security

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// lookAt is one device's look at a facet.
func lookAt(t *testing.T, looks []fleet.Look, facet string) fleet.Look {
	t.Helper()
	i := slices.IndexFunc(looks, func(l fleet.Look) bool { return l.Facet == facet })
	if i < 0 {
		t.Fatalf("no look at %s", facet)
	}
	return looks[i]
}

func TestBMCOutsideOfItsVLAN(t *testing.T) {
	const passed, found, unseen = "passed", "found", "not visible"
	for name, c := range map[string]struct {
		vlan   int
		policy []int
		peers  map[string]int // the site's, the BMC itself among them
		age    time.Duration
		want   string
		base   fleet.BaselineName
	}{
		"on one that is named":        {901, []int{900, 901}, nil, 0, passed, ""},
		"on another":                  {999, []int{900, 901}, map[string]int{"999": 9}, 0, found, fleet.BaseIntended},
		"where its peers are":         {900, nil, map[string]int{"900": 6}, 0, passed, ""},
		"where its peers are not":     {999, nil, map[string]int{"900": 5, "999": 1}, 0, found, fleet.BaseCohort},
		"among too few":               {999, nil, map[string]int{"900": 4, "999": 1}, 0, unseen, ""},
		"among some who do not agree": {999, nil, map[string]int{"900": 5, "910": 4, "999": 1}, 0, unseen, ""},
		"nowhere":                     {0, []int{900}, nil, 0, unseen, ""},
		"long ago":                    {999, []int{900}, nil, 10 * time.Minute, unseen, ""},
	} {
		d := bmc(fine())
		d.Attached, d.AttachedAt = &fleet.Attached{BMC: fleet.Sighting{Switch: "sw", Port: "Ethernet32", VLAN: c.vlan}}, now.Add(-c.age)
		sc := scene(&fleet.Policies{ManagementVLANs: c.policy})
		sc.Cohorts = map[string]fleet.Tally{SiteKey(""): {factBMC: c.peers}}
		looks, _, _ := Judge(d, sc)
		look := lookAt(t, looks, "net.bmc-vlan")
		got := passed
		switch {
		case !look.Known:
			got = unseen
		case look.Found != nil:
			got = found
		}
		if got != c.want || look.Found != nil && (look.Found.Baselines[0].Name != c.base || !strings.Contains(look.Found.Text, "VLAN 999 at sw/Ethernet32")) {
			t.Errorf("%s: %s, want %s: %+v", name, got, c.want, look.Found)
		}
	}
}

// rackOf is a switch with ports for servers, which have learned so many
// addresses each; the last port leads to another switch.
func rackOf(learned ...int) (*fleet.Device, *Scene) {
	sw := fleet.Device{Spec: &fleet.DeviceSpec{ID: "sw", Kind: fleet.KindSwitch}, DeepAt: now}
	sw.Deep[fleet.TableFDB] = fleet.Complete
	sc := scene(nil)
	sc.Cabled = map[string]fleet.Attachment{}
	var ids []string
	var devices []fleet.Device
	for i, n := range learned {
		port := fmt.Sprintf("Ethernet%d", i+1)
		kind := fleet.KindServer
		if i == len(learned)-1 {
			kind = fleet.KindSwitch
		}
		ids = append(ids, fmt.Sprintf("s%d", i+1))
		devices = append(devices, fleet.Device{Spec: &fleet.DeviceSpec{ID: ids[i], Kind: kind}})
		sc.Cabled["sw/"+port] = fleet.Attachment{Device: i, Part: "eth0"}
		sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: port}})
		for k := range n {
			mac := fmt.Sprintf("02:00:00:00:%02x:%02x", i, k)
			sw.FDB = append(sw.FDB, fleet.FDBEntry{MAC: mac, Port: port, VLAN: 10}, fleet.FDBEntry{MAC: mac, Port: port, VLAN: 20})
		}
	}
	table := fleet.NewTable(ids, devices)
	sc.Device, sc.Number = table.At, table.Number
	return &sw, sc
}

func TestAPortThatLearnsTooMuch(t *testing.T) {
	found := func(sw *fleet.Device, sc *Scene) string {
		looks, looked, blind := Judge(sw, sc)
		var out []string
		for _, l := range looks {
			if l.Found != nil {
				out = append(out, strings.TrimPrefix(l.Facet, "net.many-macs ")+": "+l.Found.Observed)
			}
		}
		return fmt.Sprintf("%s of %d, blind to %d", strings.Join(out, ", "), looked, blind)
	}
	check := func(want string, sw *fleet.Device, sc *Scene) {
		t.Helper()
		if got := found(sw, sc); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	sw, sc := rackOf(1, 8, 9, 100) // the last is an uplink
	check("Ethernet3: more than 8 of 3, blind to 0", sw, sc)
	sc.Policies = &fleet.Policies{PortMACs: 9}
	check(" of 3, blind to 0", sw, sc)
	sw, sc = rackOf(1, 8, 40, 100)
	check("Ethernet3: more than 32 of 3, blind to 0", sw, sc)
	sw, sc = rackOf(12, 12, 12, 12, 11, 24, 25, 0) // five of its six like have 12
	check("Ethernet7: more than 24 of 7, blind to 0", sw, sc)
	sw, sc = rackOf(12, 12, 12, 12, 11, 24, 25, 0)
	sw.DeepAt = now.Add(-10 * time.Minute)
	check(" of 7, blind to 7", sw, sc)
	sw, sc = rackOf(1, 8, 9, 100)
	sw.Neighbors = []fleet.Neighbor{{LocalPort: "Ethernet3", RemoteName: "s4"}} // hears the switch
	check(" of 2, blind to 0", sw, sc)
	sw, sc = rackOf(1, 8, 0, 0)
	sw.Ports[2].LAG = "Port-Channel1"
	for i := range 9 {
		sw.FDB = append(sw.FDB, fleet.FDBEntry{MAC: fmt.Sprint(i), Port: "Port-Channel1"})
	}
	check("Ethernet3: more than 8 of 3, blind to 0", sw, sc)
}

func TestSegments(t *testing.T) {
	tenant := fleet.Segment{Name: "tenant", Select: map[string]string{"role": "web"}, VLANs: []int{10, 11}}
	other := fleet.Segment{Name: "other", Select: map[string]string{"role": "web"}, VLANs: []int{12}}
	never := fleet.Segment{Name: "pci", Select: map[string]string{"role": "web"}, Never: []int{30}}
	apart := fleet.Segment{Name: "tiers", Select: map[string]string{"role": "web"}, Apart: map[string]string{"role": "db"}}
	mgmt := fleet.Segment{Name: "mgmt", Select: map[string]string{"part": "bmc"}, VLANs: []int{900}}
	for name, c := range map[string]struct {
		segments []fleet.Segment
		role     string
		nic      string
		vlans    []int
		want     string // in the text; "": passed, "-": not asked, "?": not visible
	}{
		"where it belongs":               {[]fleet.Segment{tenant}, "web", "eth0", []int{10}, ""},
		"elsewhere":                      {[]fleet.Segment{tenant}, "web", "eth0", []int{10, 20}, "VLAN 20, outside of segment tenant (10 11)"},
		"where another segment has it":   {[]fleet.Segment{tenant, other}, "web", "eth0", []int{12}, ""},
		"a stranger in it":               {[]fleet.Segment{tenant}, "db", "eth0", []int{10, 20}, "VLAN 10, which is segment tenant's alone"},
		"a stranger outside of it":       {[]fleet.Segment{tenant}, "db", "eth0", []int{20}, ""},
		"where it must never be":         {[]fleet.Segment{never}, "web", "eth0", []int{30}, "VLAN 30, on which segment pci must never be"},
		"another where it must not be":   {[]fleet.Segment{never}, "db", "eth0", []int{30}, "-"},
		"with what it is apart from":     {[]fleet.Segment{apart}, "web", "eth0", []int{20, 40}, "VLAN 40, which is shared with what segment tiers is kept apart from"},
		"a BMC where BMCs belong":        {[]fleet.Segment{mgmt}, "web", "bmc", []int{900}, ""},
		"a BMC elsewhere":                {[]fleet.Segment{mgmt}, "web", "bmc", []int{10}, "VLAN 10, outside of segment mgmt (900)"},
		"no BMC where BMCs belong":       {[]fleet.Segment{mgmt}, "web", "eth0", []int{900}, "VLAN 900, which is segment mgmt's alone"},
		"a BMC is no part of its server": {[]fleet.Segment{never}, "web", "bmc", []int{30}, "-"},
		"not visible":                    {[]fleet.Segment{tenant}, "web", "eth0", nil, "?"},
	} {
		d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "s1", Kind: fleet.KindServer, Tags: map[string]string{"role": c.role}, Links: []fleet.Cable{{NIC: c.nic, To: "sw/Ethernet1"}}}}
		m := fleet.Membership{NIC: c.nic, Management: c.nic == "bmc", Switch: "sw", Port: "Ethernet1", Known: c.vlans != nil, VLANs: c.vlans}
		d.Attached, d.AttachedAt = &fleet.Attached{Ports: []fleet.Membership{m}}, now
		sc := scene(&fleet.Policies{Segments: c.segments})
		sc.Cohorts = map[string]fleet.Tally{SiteKey(""): {factApart + "tiers": {"40": 3}}}
		looks, _, _ := Judge(d, sc)
		got := "-"
		if i := slices.IndexFunc(looks, func(l fleet.Look) bool { return l.Facet == "net.segment "+c.segments[0].Name+" "+c.nic }); i >= 0 {
			switch l := looks[i]; {
			case !l.Known:
				got = "?"
			case l.Found == nil:
				got = ""
			default:
				got = l.Found.Text
			}
		}
		if len(c.want) > 1 && strings.HasSuffix(got, c.want) {
			continue
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestSiteFacts holds what a device is counted by in its site.
func TestSiteFacts(t *testing.T) {
	p := &fleet.Policies{Segments: []fleet.Segment{{Name: "tiers", Select: map[string]string{"role": "web"}, Apart: map[string]string{"role": "db"}}}}
	d := &fleet.DeviceSpec{Tags: map[string]string{"role": "db"}}
	a := &fleet.Attached{BMC: fleet.Sighting{Switch: "sw", VLAN: 900}, Ports: []fleet.Membership{{NIC: "eth0", VLANs: []int{20, 40}}, {NIC: "eth1", VLANs: []int{20}}, {NIC: "bmc", Management: true, VLANs: []int{900}}}}
	want := []fleet.Fact{{Name: factBMC, Value: "900"}, {Name: factApart + "tiers", Value: "20"}, {Name: factApart + "tiers", Value: "40"}}
	if got := SiteFacts(d, a, p); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
