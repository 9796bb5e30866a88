package snmp

import (
	"context"
	"slices"

	"plumb/fleet"
)

// Columns of entPhysicalTable (ENTITY-MIB, RFC 6933).
const (
	entDescr = iota
	entContainedIn
	entClass
	entName
	entHardware
	entFirmware
	entSoftware
	entSerial
	entMaker
	entModel
)

var entityColumns = oids("1.3.6.1.2.1.47.1.1.1.1.2", "1.3.6.1.2.1.47.1.1.1.1.4", "1.3.6.1.2.1.47.1.1.1.1.5", "1.3.6.1.2.1.47.1.1.1.1.7", "1.3.6.1.2.1.47.1.1.1.1.8",
	"1.3.6.1.2.1.47.1.1.1.1.9", "1.3.6.1.2.1.47.1.1.1.1.10", "1.3.6.1.2.1.47.1.1.1.1.11", "1.3.6.1.2.1.47.1.1.1.1.12", "1.3.6.1.2.1.47.1.1.1.1.13")

// entPhysicalClass (RFC 6933), from 1.
var entityClasses = []string{"other", "unknown", "chassis", "backplane", "container", "powerSupply", "fan", "sensor", "module", "port", "stack", "cpu", "energyObject", "battery", "storageDrive"}

// readEntities reads the physical parts and takes the machine's own identity
// from its chassis. It returns the parts by index.
func (p *poll) readEntities(ctx context.Context) map[int]*fleet.Entity {
	byIndex := map[int]*fleet.Entity{}
	var order []*fleet.Entity
	makers := map[int]string{}
	w := p.walk(ctx, entityColumns, 0, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		i := int(index[0])
		e := byIndex[i]
		if e == nil {
			e = &fleet.Entity{Index: i, Class: "unknown"}
			byIndex[i] = e
			order = append(order, e)
		}
		if col == entMaker {
			makers[i] = v.text()
			return
		}
		setEntity(e, col, v)
	})
	p.note(fleet.TableEntities, "ENTITY-MIB", w)
	slices.SortFunc(order, func(a, b *fleet.Entity) int { return a.Index - b.Index })
	for _, e := range order {
		p.obs.Entities = append(p.obs.Entities, *e)
	}
	if c := chassis(order); c != nil {
		p.chassisFacts(c, makers[c.Index])
	}
	return byIndex
}

// readSerial reads the machine's serial alone: its chassis's, else what the
// family of MIBs has for those without one. "" is none.
func (p *poll) readSerial(ctx context.Context) (string, error) {
	columns := []int{entClass, entSerial, entModel}
	ask := make([]oid, len(columns))
	for i, col := range columns {
		ask[i] = entityColumns[col]
	}
	byIndex := map[int]*fleet.Entity{}
	var order []*fleet.Entity
	w := p.walk(ctx, ask, 0, func(col int, index oid, v value) {
		if len(index) != 1 {
			return
		}
		e := byIndex[int(index[0])]
		if e == nil {
			e = &fleet.Entity{Index: int(index[0])}
			byIndex[e.Index] = e
			order = append(order, e)
		}
		setEntity(e, columns[col], v)
	})
	if w.err != nil {
		return "", w.err
	}
	slices.SortFunc(order, func(a, b *fleet.Entity) int { return a.Index - b.Index })
	c := chassis(order)
	if c == nil {
		c = &fleet.Entity{}
	}
	for _, id := range identities {
		if c.Model != "" || id.serial == nil {
			break
		}
		v, err := p.get(ctx, id.model, id.serial)
		if err != nil {
			return "", err
		}
		if c.Model = v[0].text(); c.Model != "" && v[1].text() != "" {
			c.Serial = v[1].text()
		}
	}
	return c.Serial, nil
}

func setEntity(e *fleet.Entity, col int, v value) {
	switch col {
	case entDescr:
		e.Descr = v.text()
	case entContainedIn:
		e.Parent = v.small()
	case entClass:
		e.Class = word(entityClasses, v.small())
	case entName:
		e.Name = v.text()
	case entHardware:
		e.Hardware = v.text()
	case entFirmware:
		e.Firmware = v.text()
	case entSoftware:
		e.Software = v.text()
	case entSerial:
		e.Serial = v.text()
	case entModel:
		e.Model = v.text()
	}
}

// chassis finds the part that is the machine: the first chassis that carries a
// serial or a model, else the first chassis.
func chassis(parts []*fleet.Entity) *fleet.Entity {
	var first *fleet.Entity
	for _, e := range parts {
		if e.Class != "chassis" {
			continue
		}
		if e.Serial != "" || e.Model != "" {
			return e
		}
		if first == nil {
			first = e
		}
	}
	return first
}

func (p *poll) chassisFacts(e *fleet.Entity, maker string) {
	f := &p.obs.Facts
	f.Set(fleet.FactModel, e.Model)
	f.Set(fleet.FactSerial, e.Serial)
	switch {
	case e.Software != "":
		f.Set(fleet.FactFirmware, e.Software)
	case e.Firmware != "":
		f.Set(fleet.FactFirmware, e.Firmware)
	}
	f.Set("hardware", e.Hardware)
	if v := f.Get(fleet.FactVendor); maker != "" && !knownVendor(v) {
		f.Set(fleet.FactVendor, maker)
	}
}

// knownVendor reports whether the name came from the enterprise number of a
// maker, rather than of an operating system's agent.
func knownVendor(name string) bool {
	for n, v := range vendors {
		if v == name {
			return n != 8072 && n != 2021
		}
	}
	return false
}
