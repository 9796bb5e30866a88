package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"plumb/fleet"
)

func fullInventory(name string) *fleet.Inventory {
	return &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: name}}, Sites: []fleet.SiteSpec{{Name: name + "1", Region: name}},
		Racks: []fleet.RackSpec{{ID: name + "1/r1", Name: "r1", Site: name + "1", Region: name, Units: 42, MaxWeightKg: fleet.Int(1000), Feeds: []string{"A", "B"}}},
		Feeds: []fleet.FeedSpec{{Name: "A", Site: name + "1", Parent: "ups", BreakerA: fleet.Dec(325, -1), Volts: 230, Phases: 3}},
		Devices: []fleet.DeviceSpec{{
			ID: "s1", Name: "s1", Kind: fleet.KindServer, Rack: name + "1/r1", Unit: 7, Height: 3, Tags: map[string]string{"role": "game"},
			WarrantyUntil: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Power: []fleet.PowerCord{{PSU: 1, Outlet: "pa/3"}},
			Links: []fleet.Cable{{NIC: "eth0", MAC: "52:54:00:00:00:01", To: "sw/Ethernet1"}}, RatingA: fleet.Num{},
			Expect:    map[string]fleet.Expectation{"firmware": {Min: "2.19"}, "bios": {Subset: []string{"a"}}},
			Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:623", Credential: "bmc", Quirks: []string{"no-1.5"}}},
		}},
		Clouds:    []fleet.CloudSpec{{Name: "os", Region: name, Options: map[string]string{"project": "x"}}},
		Services:  []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: 10}},
		Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute},
	}
}

// What was intended at a time is what was in force then, to the last field;
// before the first inventory that is kept it is the first.
func TestInventoryOfATime(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	names := []string{"ams", "ams", "fra", "ams"}
	for i, name := range names {
		if err := o.KeepInventory(t.Context(), fullInventory(name), day0.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	o.stop()
	o = start(t, dir, testStep)
	if r := verifyClean(t, o.Store); r.Records["state/inventories"] != 2 || r.Records["state/inventory-times"] != 3 {
		t.Errorf("%v, want two inventories in force three times", r.Records)
	}
	for minutes, want := range map[int]string{-60: "ams", 0: "ams", 119: "ams", 120: "fra", 179: "fra", 180: "ams", 6000: "ams"} {
		id, err := o.InventoryAt(day0.Add(time.Duration(minutes) * time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		inv, err := o.Inventory(id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fullInventory(want), inv); diff != "" {
			t.Errorf("after %d minutes (-want +got):\n%s", minutes, diff)
		}
	}
}

// One that ceased to be in force before anything else is remembered is
// forgotten, and the one in force at the horizon stays.
func TestOldInventoriesAreForgotten(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	const day = 24 * time.Hour
	now := time.Now()
	for i, name := range []string{"ams", "fra", "lhr"} {
		if err := o.KeepInventory(t.Context(), fullInventory(name), now.Add(time.Duration(i-4)*day)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := update(o.state, func(tx *bbolt.Tx) error { return expireInventories(tx, now.Add(-day)) }); err != nil {
			t.Fatal(err)
		}
	}
	if r := verifyClean(t, o.Store); r.Records["state/inventories"] != 1 || r.Records["state/inventory-times"] != 1 {
		t.Errorf("%v, want the last alone", r.Records)
	}
	if id, err := o.InventoryAt(now); err != nil || id == (InventoryID{}) {
		t.Error(id, err)
	}
}
