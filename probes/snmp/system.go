package snmp

import (
	"context"
	"strconv"
	"time"

	"plumb/fleet"
)

// system group (RFC 3418) and the signs that definitions changed (RFC 2863).
var (
	sysDescr          = parseOID("1.3.6.1.2.1.1.1.0")
	sysObjectID       = parseOID("1.3.6.1.2.1.1.2.0")
	sysUpTime         = parseOID("1.3.6.1.2.1.1.3.0")
	sysContact        = parseOID("1.3.6.1.2.1.1.4.0")
	sysName           = parseOID("1.3.6.1.2.1.1.5.0")
	sysLocation       = parseOID("1.3.6.1.2.1.1.6.0")
	ifNumber          = parseOID("1.3.6.1.2.1.2.1.0")
	ifTableLastChange = parseOID("1.3.6.1.2.1.31.1.5.0")
	entLastChangeTime = parseOID("1.3.6.1.2.1.47.1.4.1.0")
	enterprises       = parseOID("1.3.6.1.4.1")
)

// pulse is what moves when definitions do.
type pulse struct{ ifNumber, ifChange, entChange uint64 }

// readPulse reads the uptime, which every agent has, and decides whether
// definitions must be read again.
func (p *poll) readPulse(ctx context.Context) error {
	v, err := p.get(ctx, sysUpTime, ifNumber, ifTableLastChange, entLastChangeTime)
	if err != nil {
		return err
	}
	var now pulse
	now.ifNumber, _ = v[1].uint()
	now.ifChange, _ = v[2].uint()
	now.entChange, _ = v[3].uint()
	up, ok := v[0].uint()
	if ok {
		p.obs.Facts.SetNum(fleet.FactUptime, fleet.Dec(int64(up), -2), true)
	}
	p.judgePulse(now, up)
	return nil // one volatile fact says nothing of the table of facts
}

// redefineEvery bounds how often a moved pulse alone costs a full read: some
// agents' change times are their uptime.
const redefineEvery = 5 * time.Minute

// judgePulse decides whether definitions are read again. After a restart they
// always are; otherwise the first sign of change is followed at once and the
// next ones after a while. Ports that moved show in their own samples.
func (p *poll) judgePulse(now pulse, up uint64) {
	restarted := up < p.uptime
	p.uptime = up
	if now == p.pulse && !restarted {
		return
	}
	if p.defined && !p.define {
		if !restarted && time.Since(p.redefined) < redefineEvery {
			return // p.pulse stays: the change is still to be followed
		}
		p.define, p.redefined = true, time.Now()
	}
	p.pulse = now
}

// readSystem reads what the device says of itself.
func (p *poll) readSystem(ctx context.Context) {
	v, err := p.get(ctx, sysDescr, sysObjectID, sysContact, sysName, sysLocation)
	if err != nil {
		p.note(fleet.TableFacts, "system", walked{is: fleet.Failed, why: err.Error(), err: err})
		return
	}
	p.obs.SetTable(fleet.TableFacts, fleet.Complete)
	f := &p.obs.Facts
	f.Set("system.descr", v[0].text())
	f.Set("system.contact", v[2].text())
	f.Set(fleet.FactName, v[3].text())
	f.Set(fleet.FactLocation, v[4].text())
	if id := v[1].oid(); len(id) > 2 {
		f.Set("system.object_id", id.String())
		if rest, ok := id.under(enterprises); ok && len(rest) > 0 {
			p.vendor(rest[0])
		}
	}
}

// identity says where a MIB keeps what a machine is, for those without an
// ENTITY-MIB chassis.
type identity struct{ vendor, model, serial, firmware oid }

var identities = []identity{
	{model: parseOID("1.3.6.1.4.1.318.1.1.26.2.1.8.1"), serial: parseOID("1.3.6.1.4.1.318.1.1.26.2.1.9.1"), firmware: parseOID("1.3.6.1.4.1.318.1.1.26.2.1.6.1")}, // rPDU2Ident
	{model: parseOID("1.3.6.1.4.1.318.1.1.12.1.5.0"), serial: parseOID("1.3.6.1.4.1.318.1.1.12.1.6.0"), firmware: parseOID("1.3.6.1.4.1.318.1.1.12.1.3.0")},       // rPDUIdent
	{vendor: parseOID("1.3.6.1.2.1.33.1.1.1.0"), model: parseOID("1.3.6.1.2.1.33.1.1.2.0"), firmware: parseOID("1.3.6.1.2.1.33.1.1.3.0")},                         // upsIdent
}

// readIdentity fills in what the chassis did not say.
func (p *poll) readIdentity(ctx context.Context) {
	f := &p.obs.Facts
	for _, id := range identities {
		if f.Get(fleet.FactModel) != "" {
			return
		}
		ask := []oid{id.model}
		names := []string{fleet.FactModel}
		for _, more := range []struct {
			o    oid
			name string
		}{{id.serial, fleet.FactSerial}, {id.firmware, fleet.FactFirmware}, {id.vendor, fleet.FactVendor}} {
			if more.o != nil {
				ask, names = append(ask, more.o), append(names, more.name)
			}
		}
		v, err := p.get(ctx, ask...)
		if err != nil || v[0].text() == "" {
			continue
		}
		for i, name := range names {
			if name != fleet.FactVendor || !knownVendor(f.Get(name)) {
				f.Set(name, v[i].text())
			}
		}
	}
}

// vendor names the maker by enterprise number. Agents that ship with an
// operating system name themselves and not the machine.
func (p *poll) vendor(enterprise uint32) {
	name, ok := vendors[enterprise]
	if !ok {
		name = "enterprise " + strconv.FormatUint(uint64(enterprise), 10)
	}
	p.obs.Facts.Set(fleet.FactVendor, name)
}

// vendors by IANA private enterprise number.
var vendors = map[uint32]string{
	2: "IBM", 9: "Cisco", 11: "HP", 42: "Sun", 43: "3Com", 161: "Motorola", 171: "D-Link", 207: "Allied Telesis", 232: "HPE", 311: "Microsoft", 318: "APC",
	343: "Intel", 476: "Vertiv", 534: "Eaton", 562: "Mitel", 637: "Nokia", 705: "Eaton", 674: "Dell", 850: "Tripp Lite", 890: "Zyxel", 1271: "Ciena", 1588: "Brocade", 1718: "Server Technology",
	1916: "Extreme", 1991: "Brocade", 2011: "Huawei", 2021: "UCD-SNMP", 2356: "Lancom", 2606: "Rittal", 2620: "Check Point", 2636: "Juniper", 3076: "Cisco", 3375: "F5",
	3417: "Blue Coat", 3808: "CyberPower", 3902: "ZTE", 4413: "Broadcom", 4526: "Netgear", 5951: "Citrix", 6027: "Dell", 6141: "Ciena", 6486: "Alcatel-Lucent", 6527: "Nokia",
	6876: "VMware", 8072: "net-snmp", 8741: "SonicWall", 10876: "Supermicro", 11863: "TP-Link", 12325: "FreeBSD", 12356: "Fortinet", 13742: "Raritan", 14179: "Cisco", 14823: "Aruba",
	14988: "MikroTik", 19046: "Lenovo", 21239: "Geist", 25461: "Palo Alto Networks", 25506: "H3C", 28507: "Gude", 30065: "Arista", 33049: "Mellanox", 40310: "Cumulus", 41112: "Ubiquiti",
	47196: "Aruba",
}
