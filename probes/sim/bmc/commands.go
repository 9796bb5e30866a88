package bmc

import (
	"context"
	"strconv"
	"strings"
	"time"

	lib "github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/types"
)

// Completion codes (IPMI 2.0 table 5-2) beside those of the library.
const (
	ccOK          = types.CodeOK
	ccReservation = types.CompletionCode(0xc5)
	ccTruncated   = types.CompletionCode(0xc6)
	ccLength      = types.CompletionCode(0xc7)
	ccRange       = types.CompletionCode(0xc9)
	ccNotPresent  = types.CompletionCode(0xcb)
	ccField       = types.CompletionCode(0xcc)
	ccState       = types.CompletionCode(0xd5)
	ccPrivilege   = types.CompletionCode(0xd4)
)

// command answers one request; need is how many bytes it must have at least.
type command func(d *device, req []byte) ([]byte, types.CompletionCode)

// registry holds every command of every BMC; it is complete before the first
// packet and only read after that.
var registry = func() *handlers.Registry {
	r := handlers.NewRegistry()
	handlers.RegisterAppHandlers(r)
	handlers.RegisterSessionHandlers(r)
	handlers.RegisterUserHandlers(r)
	for _, c := range appCommands {
		c.register(r)
	}
	for _, list := range [][]entry{chassisCommands, sensorCommands, storageCommands, selCommands, dcmiCommands, lanCommands, userCommands} {
		for _, c := range list {
			c.register(r)
		}
	}
	return r
}()

// entry is a command with its least request length and privilege.
type entry struct {
	cmd  types.Command
	need int
	priv lib.PrivilegeLevel
	run  command
}

func (e entry) register(r *handlers.Registry) {
	r.RegisterFunc(e.cmd, func(_ context.Context, h *handlers.HandlerContext, req []byte) ([]byte, types.CompletionCode, error) {
		hw, ok := h.BMC.HAL().(*hardware)
		switch {
		case !ok:
			return nil, ccNotPresent, nil
		case h.Session == nil || h.Session.PrivilegeLevel < e.priv:
			return nil, ccPrivilege, nil
		case len(req) < e.need:
			return nil, ccLength, nil
		}
		resp, cc := e.run((*device)(hw), req)
		return resp, cc, nil
	})
}

const (
	user     = lib.PrivilegeLevelUser
	operator = lib.PrivilegeLevelOperator
	admin    = lib.PrivilegeLevelAdministrator
)

var appCommands = []entry{
	{types.CommandGetDeviceID, 0, user, getDeviceID},
	{types.CommandGetSystemGUID, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		return append([]byte(nil), d.bmc.GUID[:]...), ccOK
	}},
	{types.CommandColdReset, 0, admin, restart},
	{types.CommandWarmReset, 0, admin, restart},
	{types.CommandGetBMCGlobalEnables, 0, user, func(*device, []byte) ([]byte, types.CompletionCode) { return []byte{0x08}, ccOK }},
	{types.CommandGetChannelAccess, 2, user, func(*device, []byte) ([]byte, types.CompletionCode) {
		return []byte{0x02, byte(admin)}, ccOK // always available, administrator at most
	}},
	{types.CommandGetACPIPowerState, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		if d.look().On {
			return []byte{0, 0}, ccOK
		}
		return []byte{5, 3}, ccOK // S5, D3
	}},
}

// restart is a cold or warm reset of the BMC itself: its answer is the last of
// the session, and of the BMC for a while.
func restart(d *device, _ []byte) ([]byte, types.CompletionCode) {
	if d.World.RestartBMC(d.Server, d.Now()) != nil {
		return nil, ccState
	}
	return nil, ccOK
}

// manufacturer is the IPMI forum's own number: no tool knows quirks of it.
const manufacturer = 7154

// getDeviceID is table 20-2. The firmware's minor revision is BCD.
func getDeviceID(d *device, _ []byte) ([]byte, types.CompletionCode) {
	major, minor, _ := strings.Cut(d.look().Firmware, ".")
	maj, _ := strconv.Atoi(major)
	lo, _ := strconv.ParseUint(minor, 16, 8)
	product := d.sv.Hardware.ProductID
	const support = 0x8f // chassis, FRU, SEL, SDR repository, sensors
	return []byte{0x20, 0x81, byte(maj) & 0x7f, byte(lo), 0x02, support, manufacturer & 0xff, manufacturer >> 8, 0, byte(product), byte(product >> 8), 0, 0, 0, 0}, ccOK
}

var chassisCommands = []entry{
	{types.CommandGetChassisCapabilities, 0, user, func(*device, []byte) ([]byte, types.CompletionCode) { return []byte{0, 0x20, 0x20, 0x20, 0x20}, ccOK }},
	{types.CommandGetChassisStatus, 0, user, chassisStatus},
	{types.CommandChassisControl, 1, operator, chassisControl},
	{types.CommandChassisIdentify, 0, operator, chassisIdentify},
	{types.CommandGetSystemRestartCause, 0, user, func(*device, []byte) ([]byte, types.CompletionCode) { return []byte{1, lanChannel}, ccOK }},
	{types.CommandGetPOHCounter, 0, user, func(d *device, _ []byte) ([]byte, types.CompletionCode) {
		h := uint32(d.Now().Sub(d.World.Born).Hours()) + uint32(d.sv.GUID[0])*97
		return []byte{60, byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24)}, ccOK
	}},
	{types.CommandSetSystemBootOptions, 1, operator, setBoot},
	{types.CommandGetSystemBootOptions, 3, operator, getBoot},
}

// chassisStatus is table 28-3.
func chassisStatus(d *device, _ []byte) ([]byte, types.CompletionCode) {
	st := d.look()
	b := []byte{0x40, 0, 0x40, 0} // restore policy: always on; identify is supported
	if st.On {
		b[0] |= 1
	}
	if st.Identify {
		b[2] |= 0x10
	}
	for i, r := range st.Readings {
		if s := &d.model.sensors[i]; s.Number >= 0x10 && s.Number < 0x16 && r.OK && s.over(s.raw(r.Value)) != 0 {
			b[2] |= 0x08 // cooling fault
		}
	}
	return b, ccOK
}

// chassisControl is table 28-4.
func chassisControl(d *device, req []byte) ([]byte, types.CompletionCode) {
	now, on := d.Now(), d.look().On
	var err error
	switch req[0] & 0x0f {
	case 0, 5: // down; soft shutdown by ACPI
		err = d.World.SetPower(d.Server, false, now)
	case 1:
		err = d.World.SetPower(d.Server, true, now)
	case 2, 3: // cycle, hard reset: only of a host that runs
		if !on {
			return nil, ccState
		}
		err = d.World.Cycle(d.Server, now)
	default:
		return nil, ccField
	}
	d.forget()
	if err != nil {
		return nil, ccState
	}
	return nil, ccOK
}

// chassisIdentify is table 28-6: seconds, then force.
func chassisIdentify(d *device, req []byte) ([]byte, types.CompletionCode) {
	now := d.Now()
	until := now.Add(15 * time.Second)
	if len(req) > 0 {
		until = now.Add(time.Duration(req[0]) * time.Second)
	}
	if len(req) > 1 && req[1]&1 != 0 {
		until = now.AddDate(10, 0, 0)
	}
	d.forget()
	if d.World.Identify(d.Server, until, now) != nil {
		return nil, ccState
	}
	return nil, ccOK
}
