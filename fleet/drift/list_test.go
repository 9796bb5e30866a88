package drift

import (
	"testing"

	"plumb/fleet"
)

func TestRegister(t *testing.T) {
	was := Settle(nil, "s02", judged(found("bios.version", "1"), found("firmware", "2.14"), found("gone", "x")), t0).Docket
	was = Settle(was, "s02", judged(found("bios.version", "1"), found("firmware", "2.14"), clean("gone"), unread("other")), t0).Docket
	was.Blind = 1
	was = Rule(was, fleet.Ruling{Facet: "firmware", Verdict: fleet.FindingAccepted, Value: "2.14", By: "bob"}, t0).Docket
	was = Rule(was, fleet.Ruling{Facet: "bios.version", Verdict: fleet.FindingAccepted, Value: "0", By: "ann"}, t0).Docket // of a value that is no more
	rows := []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s01"}}, {Spec: &fleet.DeviceSpec{ID: "s02"}, Docket: was}}
	s := &fleet.Snapshot{Devices: fleet.NewTable([]string{"s01", "s02"}, rows)}

	r := Read(s, "")
	if len(r.Standing) != 2 || len(r.Gone) != 1 || r.Looked != 4 || r.Blind != 1 {
		t.Fatalf("%d stand, %d gone, looked at %d, blind to %d", len(r.Standing), len(r.Gone), r.Looked, r.Blind)
	}
	if f := r.Standing[0]; f.ID() != "s02:bios.version" || f.Ruling != nil {
		t.Errorf("a ruling that covers the value no more is shown: %+v", f.Ruling)
	}
	if f := r.Standing[1]; f.Ruling == nil || f.Ruling.By != "bob" {
		t.Errorf("who accepted it: %+v", f.Ruling)
	}
	if none := Read(s, "s01"); len(none.Standing)+none.Looked != 0 {
		t.Errorf("of a device that was not judged: %+v", none)
	}
	if f := Find(s, "s02", "firmware"); f == nil || f.Ruling == nil {
		t.Errorf("found %+v", f)
	}
	for _, id := range [][2]string{{"s01", "firmware"}, {"s02", "gone"}, {"s03", "firmware"}} {
		if f := Find(s, id[0], id[1]); f != nil {
			t.Errorf("found %v: %+v", id, f)
		}
	}
}

// TestACloudHasADocketToo holds that what stands against a cloud is listed, and
// can be decided about, as what stands against a device.
func TestACloudHasADocketToo(t *testing.T) {
	cloud := fleet.Cloud{Docket: Settle(nil, "stack", judged(found("cloud.open-group g", "SSH (22)")), t0).Docket}
	s := &fleet.Snapshot{Clouds: fleet.NewTable([]string{"stack"}, []fleet.Cloud{cloud})}
	if r := Read(s, ""); len(r.Standing) != 1 || r.Standing[0].ID() != "stack:cloud.open-group g" {
		t.Errorf("%+v", r.Standing)
	}
	if r := Read(s, "stack"); len(r.Standing) != 1 {
		t.Errorf("of the cloud alone: %+v", r.Standing)
	}
	if Find(s, "stack", "cloud.open-group g") == nil || Find(s, "stack", "firmware") != nil {
		t.Error("not found, or found what is not there")
	}
}
