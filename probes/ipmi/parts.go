package ipmi

import (
	"context"

	"plumb/fleet"
)

// maxParts bounds how many FRU devices of one machine are read.
const maxParts = 32

// entityClasses are the words for the entity ids that FRUs have (table
// 43-13), as ENTITY-MIB spells them where it has a word.
var entityClasses = map[uint8]string{
	0x03: "cpu", 0x04: "disk", 0x06: "module", 0x07: "module", 0x0a: "powerSupply", 0x0b: "module", 0x0f: "backplane",
	0x10: "backplane", 0x13: "powerSupply", 0x17: "chassis", 0x1a: "disk", 0x1d: "fan", 0x1e: "fan", 0x20: "memory", 0x2c: "module",
}

// readParts reads the FRUs of the parts that the sensor records point to:
// power supplies, boards, memory. FRU 0 is the machine itself and is in the
// facts. A part whose FRU cannot be read makes the table partial; a slot that
// says it is empty does not.
func (b *BMC) readParts(ctx context.Context, o *fleet.Observation) error {
	if b.sensors == nil {
		return nil
	}
	o.SetTable(fleet.TableEntities, fleet.Complete)
	if !b.sensors.complete {
		o.SetTable(fleet.TableEntities, fleet.Partial)
	}
	for i, l := range b.sensors.frus {
		if l.device == 0 {
			continue
		}
		if i >= maxParts {
			o.SetTable(fleet.TableEntities, fleet.Partial)
			break
		}
		f, err := readFRU(ctx, b.ask, l.device)
		if over(err) {
			o.SetTable(fleet.TableEntities, fleet.Partial)
			return err
		}
		if err != nil || len(f.trouble) > 0 {
			if !refusedWith(err, ccNotPresent, ccState) {
				o.SetTable(fleet.TableEntities, fleet.Partial)
			}
			if err != nil {
				continue
			}
		}
		o.Entities = append(o.Entities, l.entityOf(&f))
	}
	return nil
}

// entityOf makes the house's noun of a part.
func (l locator) entityOf(f *fruInfo) fleet.Entity {
	class := entityClasses[l.entity]
	if class == "" {
		class = "other"
	}
	return fleet.Entity{
		Index:    int(l.device),
		Class:    class,
		Name:     l.name,
		Descr:    first(f.product, f.boardName),
		Model:    first(f.part, f.boardPart),
		Serial:   f.bestSerial(),
		Hardware: f.version,
	}
}
