package ipmi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// Observe looks at the BMC once. The lane says how deep; whatever the first
// look needs (device id, sensor records, identity) it reads regardless, as
// far as ctx's deadline goes, and the next look goes on from there.
//
// It always returns an observation. Its error is ctx's, and only when the
// caller gave up before anything was read.
func (b *BMC) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	began := b.now()
	o := &fleet.Observation{Target: b.cfg.Target, Source: fleet.SourceIPMI, Lane: lane, At: began.UTC()}
	err := b.take(ctx)
	if err == nil {
		err = b.guarded(ctx, o, lane)
		b.release()
	}
	o.Took = b.now().Sub(began)
	o.Err = b.probeError(err)
	fillTables(o, lane)
	if errors.Is(ctx.Err(), context.Canceled) && len(o.Facts) == 0 {
		return o, ctx.Err()
	}
	return o, nil
}

// fillTables marks what was asked for and did not come to an answer.
func fillTables(o *fleet.Observation, lane fleet.Lane) {
	asked := []fleet.TableID{fleet.TableFacts, fleet.TableSensors}
	if lane != fleet.LaneFast {
		asked = append(asked, fleet.TableEvents)
	}
	for _, t := range asked {
		if o.Tables[t] == fleet.NotAsked {
			o.SetTable(t, fleet.Failed)
		}
	}
}

// guarded is look behind a net: whatever bytes a BMC sends, they end its own
// poll at most.
func (b *BMC) guarded(ctx context.Context, o *fleet.Observation, lane fleet.Lane) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b.drop()
			err = fail("observe", fleet.ErrProtocol, fmt.Sprintf("an answer that cannot be handled: %v", r))
		}
	}()
	return b.look(ctx, o, lane)
}

// look is one poll, in the order of worth: power, sensors, log, identity. What
// is refused of the sensors costs the sensors: it is said at the end, and only
// a wire or a login that failed ends the poll.
func (b *BMC) look(ctx context.Context, o *fleet.Observation, lane fleet.Lane) error {
	if err := b.connect(ctx); err != nil {
		return err
	}
	power, err := b.readPower(ctx, o)
	if err != nil {
		return err
	}
	defer b.setFacts(o)
	trouble := b.lookAtSensors(ctx, o, lane, power == fleet.PowerOff)
	if over(trouble) || !b.known {
		return trouble
	}
	if err := b.readLog(ctx, o, lane); err != nil {
		return err
	}
	if lane != fleet.LaneSlow && b.tried {
		if lane == fleet.LaneTables {
			if err := b.readDoors(ctx); err != nil {
				return err
			}
		}
		return trouble
	}
	if err := b.readIdentity(ctx); err != nil {
		return err
	}
	if err := b.readParts(ctx, o); err != nil {
		return err
	}
	return trouble
}

// setFacts joins what this poll read (power, log) with the identity, which the
// slow lane reads and which holds until another machine or firmware shows.
func (b *BMC) setFacts(o *fleet.Observation) {
	moving := o.Facts
	o.Facts = slices.Grow(slices.Clone(b.identity), len(moving))
	for _, f := range moving {
		o.Facts.Put(f)
	}
	o.SetTable(fleet.TableFacts, fleet.Partial)
	if b.complete {
		o.SetTable(fleet.TableFacts, fleet.Complete)
	}
}

// lookAtSensors makes sure of the sensor records, then reads the sensors. A
// repository that cannot be read costs the sensors only, not the poll: the
// error ends it only if it is over.
func (b *BMC) lookAtSensors(ctx context.Context, o *fleet.Observation, lane fleet.Lane, hostOff bool) error {
	trouble := b.knowDevice(ctx, lane)
	if over(trouble) || !b.known {
		return trouble
	}
	before := b.sensors
	if trouble == nil && (!b.valid || lane == fleet.LaneSlow) {
		if trouble = b.validate(ctx); over(trouble) && b.sensors == nil {
			return trouble
		}
	}
	if b.sensors == nil {
		if refusedWith(trouble, ccInvalidCommand, ccInvalidLUN) {
			o.SetTable(fleet.TableSensors, fleet.Absent)
			return b.readMeter(ctx, o, lane, hostOff)
		}
		return trouble
	}
	if b.sensors != before || lane == fleet.LaneSlow {
		if err := b.readLimits(ctx); err != nil {
			return err
		}
	}
	if err := b.readSensors(ctx, o, hostOff); err != nil {
		return err
	}
	if trouble != nil {
		o.SetTable(fleet.TableSensors, fleet.Partial)
	}
	if over(trouble) {
		return trouble
	}
	if err := b.readMeter(ctx, o, lane, hostOff); err != nil {
		return err
	}
	return trouble
}

// knowDevice reads the device id once, and again in every lane but the fast
// one: an update of the firmware changes it, and one question tells.
func (b *BMC) knowDevice(ctx context.Context, lane fleet.Lane) error {
	if b.known && !b.fresh && lane == fleet.LaneFast {
		return nil
	}
	data, err := b.ask(ctx, command{fn: fnApp, cmd: 0x01, op: "get device id"})
	if err != nil {
		return err
	}
	d, err := parseDeviceID(data)
	if err != nil {
		return err
	}
	if b.known && d != b.device {
		b.tried, b.complete = false, false // read the identity again
	}
	b.device, b.known = d, true
	return nil
}

// chassis is an answer to Get Chassis Status (section 28.2).
type chassis struct {
	on       bool
	faults   []string
	identify string // "", off, on
}

func parseChassis(b []byte) (chassis, error) {
	if len(b) < 3 {
		return chassis{}, fail("get chassis status", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	c := chassis{on: b[0]&1 != 0}
	for _, f := range []struct {
		set  bool
		word string
	}{
		{b[0]&0x02 != 0, "power overload"}, {b[0]&0x08 != 0, "power"}, {b[0]&0x10 != 0, "power control"},
		{b[2]&0x01 != 0, "intrusion"}, {b[2]&0x04 != 0, "drive"}, {b[2]&0x08 != 0, "cooling"},
	} {
		if f.set {
			c.faults = append(c.faults, f.word)
		}
	}
	if b[2]&0x40 != 0 {
		c.identify = "off"
		if b[2]&0x30 != 0 {
			c.identify = "on"
		}
	}
	return c, nil
}

// readPower reads the chassis: power first, because sensors are judged by it.
func (b *BMC) readPower(ctx context.Context, o *fleet.Observation) (fleet.Power, error) {
	c, err := askChassis(ctx, b.ask)
	if err != nil {
		if over(err) {
			return fleet.PowerUnknown, err
		}
		o.Facts.Set(fleet.FactPower, fleet.PowerUnknown.String())
		return fleet.PowerUnknown, nil
	}
	o.Facts.Set(fleet.FactPower, c.power().String())
	o.Facts.Set("identify", c.identify)
	o.Facts.Set("chassis.faults", strings.Join(c.faults, ", "))
	return c.power(), nil
}

func (c chassis) power() fleet.Power {
	if c.on {
		return fleet.PowerOn
	}
	return fleet.PowerOff
}

func askChassis(ctx context.Context, ask asker) (chassis, error) {
	data, err := ask(ctx, command{fn: fnChassis, cmd: 0x01, op: "get chassis status"})
	if err != nil {
		return chassis{}, err
	}
	return parseChassis(data)
}
