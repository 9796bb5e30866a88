package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"plumb/probes/sim/agent"
	"plumb/probes/sim/bmc"
	"plumb/probes/sim/openstack"
	"plumb/probes/sim/world"
)

// Options say which fleet to start. The zero value with a Dir is the default
// demo.
type Options struct {
	Racks    int              // 0: 24
	Seed     uint64           // 0: 1
	Fault    string           // "": the default schedule; "none"; else NAME[@TARGET][+DELAY],...
	Dir      string           // where sim.json and the secrets are; must exist
	PortBase int              // 0: 20000
	Now      func() time.Time // nil: the wall clock
	Logf     func(format string, args ...any)
}

// Defaults of Options.
const (
	DefaultRacks    = 24
	DefaultSeed     = 1
	DefaultPortBase = 20000
)

func (o *Options) setDefaults() error {
	if o.Dir == "" {
		return errors.New("sim: a directory is needed for sim.json and the secrets")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	o.Dir = dir
	if o.Racks == 0 {
		o.Racks = DefaultRacks
	}
	if o.Racks < 1 || o.Racks > world.MaxRacks {
		return fmt.Errorf("sim: %d racks: between 1 and %d are possible", o.Racks, world.MaxRacks)
	}
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	if o.PortBase == 0 {
		o.PortBase = DefaultPortBase
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return nil
}

// Fleet is a running demo fleet.
type Fleet struct {
	World *world.World

	opt     Options
	file    *file
	secrets *secrets
	bmcs    []*bmc.Server
	agents  []*agent.Server
	cloud   *openstack.Server
	regions []regionCache // by region

	bmcAddr  []netip.AddrPort // by server
	snmpAddr []netip.AddrPort // by switch, then PDU, then UPS
	cloudURL string

	workloads workloads

	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// Start opens every socket of the fleet and serves it until Close or the end
// of ctx. When it returns without an error, everything answers.
func Start(ctx context.Context, opt Options) (_ *Fleet, err error) {
	if err := opt.setDefaults(); err != nil {
		return nil, err
	}
	f := &Fleet{opt: opt}
	f.file, f.World, err = openFile(filepath.Join(opt.Dir, stateFile), opt, opt.Now())
	if err != nil {
		return nil, err
	}
	if f.secrets, err = newSecrets(filepath.Join(opt.Dir, "secrets"), f.file.key); err != nil {
		return nil, err
	}
	if err := f.startFaults(); err != nil {
		return nil, err
	}
	f.regions = make([]regionCache, len(f.World.Regions))
	f.World.OnChange(f.save)
	ctx, f.cancel = context.WithCancel(ctx)
	defer func() { // a half-started fleet leaves no socket behind
		if err != nil {
			_ = f.Close()
		}
	}()
	if err := f.listen(ctx); err != nil {
		return nil, err
	}
	return f, f.file.write(f.World.State(opt.Now()))
}

func (f *Fleet) startFaults() error {
	now := f.opt.Now()
	switch f.opt.Fault {
	case "":
		f.World.Schedule(now)
		return nil
	case "none":
		return nil
	}
	return f.Inject(f.opt.Fault)
}

// listen gives every device its socket: BMCs from the base, SNMP agents a
// thousand above, the cloud another thousand above, or as far as it takes.
func (f *Fleet) listen(ctx context.Context) error {
	w := f.World
	bmcs, next, err := f.block("BMCs", f.opt.PortBase, len(w.Servers))
	if err != nil {
		return err
	}
	for n, conn := range bmcs {
		f.startBMC(ctx, n, conn)
	}
	agents, next, err := f.block("SNMP agents", next, len(w.Switches)+len(w.PDUs)+len(w.UPSes))
	if err != nil {
		return err
	}
	for i, conn := range agents {
		if err := f.startAgent(ctx, i, conn); err != nil {
			return err
		}
	}
	if err := f.startCloud(ctx, next); err != nil {
		return err
	}
	return f.startWorkloads(ctx, next+100)
}

// blockSize is how far blocks of ports are apart at least.
const blockSize = 1000

// block opens n UDP sockets on ports that follow each other. Where one is
// taken the whole block moves on, and the log says so.
func (f *Fleet) block(what string, from, n int) (conns []*net.UDPConn, next int, err error) {
	size := (n + blockSize - 1) / blockSize * blockSize
	for at := from; at+size <= 1<<16; at += blockSize {
		if conns, err = openBlock(at, n); err == nil {
			if at != from {
				f.opt.Logf("ports from %d are taken: %s listen from %d", from, what, at)
			}
			return conns, at + size, nil
		}
	}
	if err == nil {
		err = errors.New("ports end at 65535")
	}
	return nil, 0, fmt.Errorf("sim: no %d free UDP ports for %s from %d up: %w", n, what, from, err)
}

func openBlock(at, n int) ([]*net.UDPConn, error) {
	var conns []*net.UDPConn
	for i := range n {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at + i})
		if err != nil {
			for _, c := range conns {
				_ = c.Close()
			}
			return nil, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func localAddr(conn *net.UDPConn) netip.AddrPort {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (f *Fleet) startBMC(ctx context.Context, n int, conn *net.UDPConn) {
	addr := localAddr(conn)
	s := bmc.New(bmc.Config{World: f.World, Server: n, Now: f.opt.Now, Addr: addr, Users: []bmc.User{
		{Name: readUser, Password: f.secrets.of("bmc"), Level: bmc.Keeper},
		{Name: actUser, Password: f.secrets.of("bmc-act"), Level: bmc.Admin},
	}}, conn)
	f.bmcs, f.bmcAddr = append(f.bmcs, s), append(f.bmcAddr, addr)
	f.serving.Go(func() { _ = s.Serve(ctx) })
}

func (f *Fleet) startCloud(ctx context.Context, from int) (err error) {
	var regions []string
	for _, r := range f.World.Regions {
		regions = append(regions, r.Name)
	}
	cfg := openstack.Config{
		Regions: regions,
		Users:   []openstack.User{{Name: readUser, Password: f.secrets.of("cloud"), Project: cloudProject, ProjectID: openstack.ProjectID(cloudProject), Admin: true}},
		State:   f.region, Act: f.actInstance, SetService: f.setService, RemoveRule: f.removeRule, Fault: f.cutCloud, Now: f.opt.Now,
	}
	for port := from; port < min(from+50, 1<<16); port++ {
		if f.cloud, err = openstack.Serve(ctx, fmt.Sprintf("127.0.0.1:%d", port), cfg); err == nil {
			f.cloudURL = f.cloud.AuthURL()
			if port != from {
				f.opt.Logf("port %d is taken: the cloud listens on %d", from, port)
			}
			return nil
		}
		if errors.Is(err, openstack.ErrConfig) {
			return err
		}
	}
	return fmt.Errorf("sim: no free TCP port for the cloud from %d up: %w", from, err)
}

// save keeps the world after a change. An error is told once and does not stop
// the fleet: what is lost is only what a restart would have continued.
func (f *Fleet) save() {
	if err := f.file.write(f.World.State(f.opt.Now())); err != nil {
		f.opt.Logf("the demo's state was not saved: %v", err)
	}
}

// Close stops every server and keeps the world's state.
func (f *Fleet) Close() error {
	f.cancel()
	for _, s := range f.bmcs {
		_ = s.Close()
	}
	for _, s := range f.agents {
		_ = s.Close()
	}
	if f.cloud != nil {
		_ = f.cloud.Close()
	}
	if f.workloads.http != nil {
		_ = f.workloads.http.Close()
	}
	f.serving.Wait()
	if err := f.file.write(f.World.State(f.opt.Now())); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sim: keep the state: %w", err)
	}
	return nil
}
