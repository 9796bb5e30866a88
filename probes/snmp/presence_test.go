package snmp

import (
	"context"
	"errors"
	"strings"
	"testing"

	"plumb/fleet"
)

// fullTree is a device with a row in every table that can be absent.
func fullTree() []object {
	const apc, mac = "1.3.6.1.4.1.318.1.1.", "82.84.0.0.1.1"
	return sorted(append(switchTree(1, "pdu1", fakePort{index: 1, name: "Ethernet1"}),
		obj(apc+"26.4.3.1.4.1", 4), obj(apc+"26.4.3.1.5.1", 121), // a family of sensors
		obj(apc+"26.9.2.3.1.3.1", "s01-psu1"), obj(apc+"26.9.2.3.1.5.1", 2), // outlets
		obj("1.3.6.1.2.1.47.1.1.1.1.5.1", 3), obj("1.3.6.1.2.1.47.1.1.1.1.7.1", "chassis"), obj("1.3.6.1.2.1.47.1.1.1.1.11.1", "SN-1"), obj("1.3.6.1.2.1.47.1.1.1.1.13.1", "M1"),
		obj("1.3.6.1.2.1.99.1.1.1.1.1", 8), obj("1.3.6.1.2.1.99.1.1.1.2.1", 9), obj("1.3.6.1.2.1.99.1.1.1.3.1", 0), obj("1.3.6.1.2.1.99.1.1.1.4.1", 21), obj("1.3.6.1.2.1.99.1.1.1.5.1", 1),
		obj("1.0.8802.1.1.2.1.3.7.1.2.1", 5), obj("1.0.8802.1.1.2.1.3.7.1.3.1", "Ethernet1"),
		obj("1.0.8802.1.1.2.1.4.1.1.4.0.1.1", 7), obj("1.0.8802.1.1.2.1.4.1.1.5.0.1.1", "x"), obj("1.0.8802.1.1.2.1.4.1.1.9.0.1.1", "sw2"),
		obj("1.3.6.1.2.1.17.1.4.1.2.1", 1), obj("1.3.6.1.2.1.17.7.1.2.2.1.2.10."+mac, 1), obj("1.3.6.1.2.1.17.7.1.2.2.1.3.10."+mac, 3),
		obj("1.3.6.1.2.1.17.7.1.4.3.1.1.10", "ten"), obj("1.3.6.1.2.1.17.7.1.4.3.1.2.10", "\x80"),
	))
}

var canVanish = []fleet.TableID{fleet.TableSensors, fleet.TableOutlets, fleet.TableEntities, fleet.TableNeighbors, fleet.TableFDB, fleet.TableVLANs}

// TestTablesGoneForAMoment: a subagent restarts. What was there before stays
// until two polls in a row that read definitions do not find it.
func TestTablesGoneForAMoment(t *testing.T) {
	for _, lane := range []fleet.Lane{fleet.LaneFast, fleet.LaneTables, fleet.LaneSlow} {
		f := newFake(t, fullTree()...)
		a := agentOf(t, f)
		o := observe(t, a, fleet.LaneSlow)
		for _, table := range canVanish {
			if o.Tables[table] != fleet.Complete {
				t.Fatalf("%v is %q at first, %v", table, o.Tables[table], o.Err)
			}
		}
		f.set(func() { f.tree = switchTree(1, "pdu1", fakePort{index: 1, name: "Ethernet1"}) })
		for range 2 {
			o = observe(t, a, min(lane, fleet.LaneTables))
			tablesAre(t, o, fleet.Partial, lane)
		}
		if lane == fleet.LaneSlow {
			o = observe(t, a, lane)
			tablesAre(t, o, fleet.Partial, lane)
			if o.Tables[fleet.TableFacts] != fleet.Partial {
				t.Errorf("facts are %q without the chassis", o.Tables[fleet.TableFacts])
			}
		}
		f.set(func() { f.tree = fullTree() })
		o = observe(t, a, fleet.LaneFast)
		if len(o.Sensors) != 3 || len(o.Outlets) != 1 || o.Outlets[0].Name != "s01-psu1" {
			t.Errorf("%v: back again: %d sensors, outlets %v", lane, len(o.Sensors), o.Outlets)
		}
		tablesAre(t, o, fleet.Complete, fleet.LaneFast)
	}
}

// tablesAre checks the tables that the lane named.
func tablesAre(t *testing.T, o *fleet.Observation, want fleet.Completeness, lane fleet.Lane) {
	t.Helper()
	for _, table := range canVanish {
		if is, named := o.Tables[table]; named && is != want {
			t.Errorf("%v lane: %v is %q, want %q", lane, table, is, want)
		}
	}
	if o.Err != nil {
		t.Errorf("%v lane: %v", lane, o.Err)
	}
}

// TestTablesGoneForGood: what two slow polls do not find is gone.
func TestTablesGoneForGood(t *testing.T) {
	f := newFake(t, fullTree()...)
	a := agentOf(t, f)
	observe(t, a, fleet.LaneSlow)
	f.set(func() { f.tree = switchTree(1, "pdu1", fakePort{index: 1, name: "Ethernet1"}) })
	tablesAre(t, observe(t, a, fleet.LaneSlow), fleet.Partial, fleet.LaneSlow)
	o := observe(t, a, fleet.LaneSlow)
	tablesAre(t, o, fleet.Absent, fleet.LaneSlow)
	if o.Tables[fleet.TableFacts] != fleet.Complete {
		t.Errorf("facts are %q", o.Tables[fleet.TableFacts])
	}
}

// TestSecretOutage: a secret that cannot be fetched is not a refusal.
func TestSecretOutage(t *testing.T) {
	f := newFake(t, switchTree(1, "s")...)
	a := agentOf(t, f, func(c *Config) {
		c.Community = func(context.Context) (string, error) { return "public", errors.New("command vault: exit status 2") }
	})
	o := observe(t, a, fleet.LaneFast)
	if !errors.Is(o.Err, fleet.ErrBusy) || errors.Is(o.Err, fleet.ErrAuth) || !strings.Contains(o.Err.Error(), "could not be fetched: command vault") || strings.Contains(o.Err.Error(), "public") {
		t.Errorf("%v", o.Err)
	}
}
