package snmp

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"plumb/fleet"
)

// compareNet compares neighbours, untagged members and aggregates with what
// the file says. It reads the file's text, not the probe's tables.
func compareNet(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	compareARP(t, r, o)
	compareUntagged(t, r, o)
	compareLAG(t, r, o)
	compareParts(t, r, o)
}

// compareARP counts six-octet addresses that are not the device's own nor out
// of use. IPv4 is looked for in the old table only where the new one has none.
func compareARP(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	want, v4 := map[string]string{}, false
	kind, state := r.column("1.3.6.1.2.1.4.35.1.6"), r.column("1.3.6.1.2.1.4.35.1.7")
	for i, mac := range r.column("1.3.6.1.2.1.4.35.1.4") {
		v4 = v4 || strings.Contains(i, ".1.4.")
		if len(mac) == 6 && strings.Count(i, ".") >= 6 && kind[i] != "2" && kind[i] != "5" && state[i] != "5" && state[i] != "7" {
			want[i] = mac
		}
	}
	if !v4 {
		kind = r.column("1.3.6.1.2.1.4.22.1.4")
		for i, mac := range r.column("1.3.6.1.2.1.4.22.1.2") {
			if len(mac) == 6 && mac != "\x00\x00\x00\x00\x00\x00" && kind[i] != "2" {
				want[i] = mac
			}
		}
	}
	if len(o.ARP) != len(want) {
		t.Errorf("%d neighbours, the recording has %d", len(o.ARP), len(want))
	}
	macs := map[string]int{}
	for _, mac := range want {
		macs[hex.EncodeToString([]byte(mac))]++
	}
	unknown := 0
	for _, a := range o.ARP {
		mac := strings.ReplaceAll(a.MAC, ":", "")
		if macs[mac]--; macs[mac] < 0 {
			t.Errorf("%+v is not in the recording", a)
		}
		if strings.HasPrefix(a.Port, "ifIndex ") {
			unknown++
		}
	}
	t.Logf("%d neighbours, %d on an interface without a row in ifTable", len(o.ARP), unknown)
}

// compareUntagged holds each untagged set against the bits in the file.
func compareUntagged(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	bits := func(columns ...string) map[string]string { // by VLAN, first column wins
		out := map[string]string{}
		for _, c := range columns {
			for i, v := range r.column(c) {
				i = i[strings.LastIndexByte(i, '.')+1:]
				if _, have := out[i]; !have {
					out[i] = v
				}
			}
		}
		return out
	}
	egress := bits("1.3.6.1.2.1.17.7.1.4.2.1.4", "1.3.6.1.2.1.17.7.1.4.3.1.2")
	untagged := bits("1.3.6.1.2.1.17.7.1.4.2.1.5", "1.3.6.1.2.1.17.7.1.4.3.1.4")
	for _, v := range o.VLANs {
		list, told := untagged[strconv.Itoa(v.ID)]
		if told != (v.Untagged != nil) {
			t.Errorf("VLAN %d: untagged %v, the recording tells: %v", v.ID, v.Untagged, told)
			continue
		}
		members, want := egress[strconv.Itoa(v.ID)], 0
		for i := range min(len(list), len(members)) {
			for b := list[i] & members[i]; b != 0; b &= b - 1 {
				want++
			}
		}
		if len(v.Untagged) != want {
			t.Errorf("VLAN %d: %d untagged, the recording has %d", v.ID, len(v.Untagged), want)
		}
	}
}

// compareLAG holds every member against the aggregate's row in the file.
func compareLAG(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	want := map[string]string{} // ifIndex of the member: of the aggregate
	attached, types := r.column("1.2.840.10006.300.43.1.2.1.1.13"), r.column("1.3.6.1.2.1.2.2.1.3")
	for i, lag := range attached {
		if _, there := types[lag]; there && lag != i {
			want[i] = lag
		}
	}
	if len(attached) == 0 {
		for i, status := range r.column("1.3.6.1.2.1.31.1.2.1.3") {
			higher, lower, _ := strings.Cut(i, ".")
			if types[higher] == "161" && lower != "0" && status == "1" {
				want[lower] = higher
			}
		}
	}
	names := map[int]string{}
	for _, p := range o.Ports {
		names[p.Index] = p.Name
	}
	for _, p := range o.Ports {
		lag, _ := strconv.Atoi(want[strconv.Itoa(p.Index)])
		if p.LAG != names[lag] {
			t.Errorf("%s is a member of %q, the recording says %q", p.Name, p.LAG, names[lag])
		}
	}
	t.Logf("%d members of aggregates", len(want))
}

// compareParts holds serial, model and firmware of every part against the file.
func compareParts(t *testing.T, r recording, o *fleet.Observation) {
	t.Helper()
	const ent = "1.3.6.1.2.1.47.1.1.1.1."
	serial, model, firmware := r.column(ent+"11"), r.column(ent+"13"), r.column(ent+"9")
	serials := map[string]int{}
	for _, e := range o.Entities {
		i := strconv.Itoa(e.Index)
		if e.Serial != text([]byte(serial[i])) || e.Model != text([]byte(model[i])) || e.Firmware != text([]byte(firmware[i])) {
			t.Errorf("%s %q: %q %q %q, the recording says %q %q %q", e.Class, e.Name, e.Serial, e.Model, e.Firmware, serial[i], model[i], firmware[i])
		}
		if e.Serial != "" {
			serials[e.Class]++
		}
	}
	t.Logf("parts with a serial: %v", serials)
}
