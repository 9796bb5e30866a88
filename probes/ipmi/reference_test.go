package ipmi

import (
	"bytes"
	"context"
	"net"
	"testing"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/hal/mock"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/server"
	"github.com/bougou/go-ipmi/pkg/transport/udp"
	"github.com/bougou/go-ipmi/pkg/types"
)

// startReference serves go-ipmi's reference BMC: another reading of the
// standard than ours, for the wire's happy path. Sensor reading and the event
// log are handlers of this test, because the reference has none.
func startReference(t testing.TB, sensors int) (address string, hal *mock.HAL) {
	t.Helper()
	hal = mock.New()
	hal.Chassis().(*mock.Chassis).On = true
	b := bmc.New(bmc.DeviceInfo{DeviceID: 32, DeviceRevision: 1, FirmwareMajor: 3, FirmwareMinor: 0x14, IPMIVersion: 0x20, ManufacturerID: 674, ProductID: 0x100, AdditionalDeviceSupport: 0xbf},
		[16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, hal)
	user, err := b.Users.Add(2, "ADMIN")
	if err != nil {
		t.Fatal(err)
	}
	user.SetPassword([]byte("secret"))
	user.Enabled = true
	user.ChannelAccess[1] = bmc.UserChannelAccess{MaxPrivilege: bmc.PrivilegeLevelAdministrator, Enabled: true}

	reg := handlers.NewRegistry()
	handlers.RegisterAllHandlers(reg)
	serveSensors(reg, sensors)

	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	srv := server.NewServer(b, udp.Wrap(conn), server.WithHandlerRegistry(reg))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(ctx) }()
	t.Cleanup(func() { cancel(); srv.Close(); conn.Close(); <-done })
	return conn.LocalAddr().String(), hal
}

// serveSensors adds records, readings and an empty log.
func serveSensors(reg *handlers.Registry, n int) {
	add := func(fn netFn, cmd uint8, h func(req []byte) (completion, []byte)) {
		reg.RegisterFunc(types.Command{ID: cmd, NetFn: types.NetFn(fn), Name: "test"}, func(_ context.Context, _ *handlers.HandlerContext, req []byte) ([]byte, types.CompletionCode, error) {
			code, out := h(req)
			return out, types.CompletionCode(code), nil
		})
	}
	f := &fakeBMC{erased: 1_600_000_000, readings: map[uint8][]byte{}}
	for i := range n {
		f.sdrs = append(f.sdrs, fullSDR(uint16(i+1), uint8(i+1), "Sensor"))
		f.readings[uint8(i+1)] = []byte{byte(20 + i), 0xc0, 0xc0}
	}
	for _, c := range []struct {
		fn  netFn
		cmd uint8
	}{{fnStorage, 0x20}, {fnStorage, 0x22}, {fnStorage, 0x23}, {fnSensor, 0x2d}, {fnStorage, 0x40}, {fnStorage, 0x43}} {
		add(c.fn, c.cmd, func(req []byte) (completion, []byte) { return f.run(c.fn, c.cmd, bytes.Clone(req)) })
	}
}

func referenceConfig(address string) Config {
	return Config{Target: "s01", Address: address, Username: "ADMIN", Password: func(context.Context) (string, error) { return "secret", nil }}
}

func TestReferenceBMC(t *testing.T) {
	address, hal := startReference(t, 24)
	for _, cipher := range []int{0, 3, 17} {
		cfg := referenceConfig(address)
		cfg.Cipher = cipher
		b, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := well(t, look(t, b, fleet.LaneSlow))
		if len(o.Sensors) != 24 || o.Sensors[5].Value != fleet.Int(25) || o.Sensors[5].State != fleet.StateOK {
			t.Errorf("cipher %d: %d sensors", cipher, len(o.Sensors))
		}
		if o.Facts.Get(fleet.FactPower) != "on" || o.Facts.Get(fleet.FactFirmware) != "3.14" || o.Facts.Get(fleet.FactVendor) != "Dell" {
			t.Errorf("cipher %d: facts %v", cipher, o.Facts)
		}
		if cipher == 0 && b.session.suite.id != 17 {
			t.Errorf("automatic cipher is %d", b.session.suite.id)
		}
		b.Close()
	}
	b, err := New(referenceConfig(address))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	out, err := b.Act(t.Context(), fleet.Action{Kind: fleet.ActPowerOff})
	on, _ := hal.Chassis().PowerState(t.Context())
	if err != nil || out.Before != "on" || out.After != "off" || on {
		t.Errorf("power-off: %+v, %v", out, err)
	}
	wrong := referenceConfig(address)
	wrong.Password = func(context.Context) (string, error) { return "wrong", nil }
	w, _ := New(wrong)
	defer w.Close()
	kind(t, look(t, w, fleet.LaneFast), fleet.ErrAuth)
}
