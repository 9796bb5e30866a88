package bmc

import (
	"time"

	lib "github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/hal"

	"plumb/probes/sim/world"
)

// stateLife is how long one look at the world answers a burst of requests.
const stateLife = 500 * time.Millisecond

// device is what stands behind a BMC. Only its server's goroutine touches it.
type device struct {
	Config
	bmc   *lib.BMC
	sv    *world.Server
	model *encoded // sensors and their records, shared by all servers of a model
	fru   []byte

	state    world.ServerState
	stateAt  time.Time
	badUser  bool
	usersOff uint64 // as they were last taken from the world
	offers   doors  // the cipher suites that are offered
	boots    bootMemory
	lanInUse byte    // parameter 0 of the LAN configuration
	boot     float64 // which start of the BMC this is; sessions do not survive one
	evicted  time.Time
	selRes   uint16 // SEL reservation; 0: none
	sdrRes   uint16
	lastRes  uint16
	powerAvg power
}

// power is what DCMI reports besides the present value.
type power struct{ min, max, sum, n float64 }

// Names and levels of the accounts.
const (
	lanChannel = 1
	maxUsers   = 10
	// DefaultUser and DefaultPassword are the account that default-user enables.
	DefaultUser, DefaultPassword = "ADMIN", "ADMIN"
)

func newDevice(cfg Config) *device {
	d := &device{Config: cfg, sv: &cfg.World.Servers[cfg.Server]}
	d.model = encodedModel(d.sv.Hardware)
	d.fru = fru(d.sv)
	d.bmc = lib.New(lib.DeviceInfo{DeviceID: 0x20, DeviceRevision: 1, IPMIVersion: 0x20}, guidLE(d.sv.GUID), (*hardware)(d),
		lib.WithCipherSuites(suitesShut), lib.WithV15Disabled())
	d.bmc.Users = lib.NewUserStore(lib.WithMaxUsers(maxUsers))
	_ = d.bmc.Users.Update(1, func(u *lib.User) error { u.Enabled = false; return nil })
	for i, u := range cfg.Users {
		d.addUser(uint8(i+2), u)
	}
	return d
}

func (d *device) addUser(slot uint8, u User) {
	_ = d.bmc.Users.Upsert(slot, func(to *lib.User) error {
		to.Name, to.Enabled = u.Name, true
		to.SetPassword([]byte(u.Password))
		to.ChannelAccess[lanChannel] = lib.UserChannelAccess{MaxPrivilege: u.Level, Enabled: true}
		return nil
	})
}

// guidLE turns an RFC 9562 UUID into the byte order of Get Device GUID, least
// significant byte first (IPMI 2.0 section 20.8).
func guidLE(g [16]byte) (le [16]byte) {
	for i := range g {
		le[15-i] = g[i]
	}
	return le
}

// reachable reports whether anything of the BMC is there at all.
func (d *device) reachable() bool {
	now := d.Now()
	boot, ok := d.World.BMC(d.Server, now)
	if boot != d.boot {
		d.boot = boot
		d.restart()
	}
	if !ok {
		return false
	}
	if now.Sub(d.evicted) >= evictEvery {
		d.evicted = now
		d.bmc.Sessions.EvictExpired()
	}
	if st := d.look(); st.DefaultUser != d.badUser || st.Shut.Users != d.usersOff {
		d.usersOff = st.Shut.Users
		d.syncUsers()
	}
	d.syncSuites()
	return true
}

// evictEvery is how often idle sessions are looked for; each may be idle for
// 60 s.
const evictEvery = 5 * time.Second

// restart forgets what a BMC forgets when it starts: sessions and reservations.
func (d *device) restart() {
	d.bmc.Sessions = lib.NewSessionStore(d.bmc.Clock())
	d.selRes, d.sdrRes, d.powerAvg = 0, 0, power{}
	d.boots, d.lanInUse = bootMemory{}, 0
	d.forget()
}

// look returns the present state, at most half a second old.
func (d *device) look() *world.ServerState {
	now := d.Now()
	if age := now.Sub(d.stateAt); age < 0 || age >= stateLife {
		d.state, d.stateAt = d.World.Server(d.Server, now), now
		p := &d.powerAvg
		if w := d.state.Watts; p.n == 0 {
			*p = power{w, w, w, 1}
		} else {
			p.min, p.max, p.sum, p.n = min(p.min, w), max(p.max, w), p.sum+w, p.n+1
		}
	}
	return &d.state
}

// forget makes the next look a fresh one.
func (d *device) forget() { d.stateAt = time.Time{} }

// reserve returns a new reservation id (IPMI 2.0 section 31.4).
func (d *device) reserve() uint16 {
	d.lastRes++
	if d.lastRes == 0 {
		d.lastRes = 1
	}
	return d.lastRes
}

// hardware lets the reference BMC's handlers reach the device.
type hardware device

var _ hal.HAL = (*hardware)(nil)

func (h *hardware) Chassis() hal.ChassisHAL { return nil }
func (h *hardware) Sensors() hal.SensorHAL  { return nil }
func (h *hardware) Storage() hal.StorageHAL { return nil }
func (h *hardware) Network() hal.NetworkHAL { return nil }
func (h *hardware) GPIO() hal.GPIOHAL       { return nil }
func (h *hardware) I2C() hal.I2CHAL         { return nil }
func (h *hardware) Console() hal.ConsoleHAL { return nil }
func (h *hardware) Close() error            { return nil }
