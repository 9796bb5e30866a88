package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// OpenStack looks at one region of one account. It is owned by one goroutine
// at a time, as every [fleet.Probe] is.
type OpenStack struct {
	cfg    Config
	wire   *transport
	now    func() time.Time
	settle time.Duration // settleFor, but for tests

	session *session // nil: not logged in
	refused refusal  // of the last login
	memory  memory
}

var (
	_ fleet.Probe = (*OpenStack)(nil)
	_ fleet.Actor = (*OpenStack)(nil)
)

// memory is what slower lanes learned and faster ones lean on.
type memory struct {
	sees       map[call]sight
	flavors    map[string]string     // name by id
	groups     map[string]string     // name of the server group, by instance id
	security   []fleet.SecurityGroup // as they were last seen; not written
	policies   fleet.Facts           // of the groups
	zones      fleet.Facts           // whether each zone is available
	quota      fleet.Facts           // limits and what is used of them
	providers  map[string]provider   // by uuid, which is the hypervisor's id
	made       map[string]attributed // by instance id
	everything bool                  // all projects were visible once
	warm       bool                  // the slow lane was read once
}

// New returns a probe. Nothing is sent before the first look.
func New(cfg Config) (*OpenStack, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	wire, err := newTransport(&cfg)
	if err != nil {
		return nil, err
	}
	return &OpenStack{cfg: cfg, wire: wire, now: time.Now, settle: settleFor, memory: memory{sees: map[call]sight{}}}, nil
}

// Close drops the connections. The token is left to expire.
func (o *OpenStack) Close() error {
	o.session = nil
	o.wire.close()
	return nil
}

// Observe looks once. The fast lane reads servers, hypervisors and services;
// the tables lane also server groups and security groups; the slow lane also versions, flavors,
// zones, limits and placement, and asks again for what was denied.
func (o *OpenStack) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	began := o.now()
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	before := o.wire.requests.Load()
	l := &look{OpenStack: o, ctx: ctx, lane: lane, asked: map[call]bool{}, read: map[call]bool{}, obs: &fleet.Observation{
		Target: o.cfg.Target, Source: fleet.SourceOpenStack, Lane: lane, At: began.UTC(),
	}}
	l.run()
	l.cost = o.wire.requests.Load() - before
	l.finish()
	l.obs.Took = o.now().Sub(began)
	if errors.Is(outer.Err(), context.Canceled) && len(l.read) == 0 {
		return l.obs, outer.Err()
	}
	return l.obs, nil
}

// look is one look under way.
type look struct {
	*OpenStack
	ctx  context.Context
	lane fleet.Lane
	obs  *fleet.Observation
	in   *session // nil: could not log in
	cost int64    // requests

	asked, read map[call]bool // by this look; read: with success
	servers     listing[server]
	hosts       listing[hypervisor]
	services    listing[service]
	groups      listing[fleet.SecurityGroup]
	halt        bool // the target is gone or wants quiet: ask nothing more
}

func (l *look) run() {
	if l.session == nil {
		s, err := l.login(l.ctx)
		if err != nil {
			l.fail("log in", err)
			return
		}
		l.session = s
	}
	l.in = l.session
	l.look(callInstances, l.readServers)
	l.look(callHosts, l.readHypervisors)
	l.look(callServices, l.readServices)
	if l.lane >= fleet.LaneTables || l.slow() {
		l.look(callGroups, l.readGroups)
		l.look(callSecurityGroups, l.readSecurityGroups)
	}
	if l.slow() {
		l.look(callFlavors, l.readFlavors)
		l.look(callZones, l.readZones)
		l.look(callQuota, l.readLimits)
		l.look(callPlacement, l.readPlacement)
		l.memory.warm = l.memory.warm || !l.halt
	}
	l.attribute() // the names of flavors are known by now
}

// slow reports whether this look reads what changes seldom. The first one does
// in every lane: until then a row would lack what only the slow lane reads, and
// look as if it had been lost.
func (l *look) slow() bool { return l.lane >= fleet.LaneSlow || !l.memory.warm }

// finish turns what was read into the observation.
func (l *look) finish() {
	if l.in == nil {
		for _, t := range []fleet.TableID{fleet.TableFacts, fleet.TableInstances, fleet.TableHosts} {
			l.obs.SetTable(t, fleet.Failed)
		}
		if l.lane >= fleet.LaneTables {
			l.obs.SetTable(fleet.TableSecurityGroups, fleet.Failed)
		}
		return
	}
	l.fillInstances()
	l.fillHosts()
	l.fillGroups()
	l.fillFacts()
}

// fail notes the first thing that went wrong; it is the one that explains the
// others.
func (l *look) fail(op string, err error) {
	kind := func(k error) bool { return errors.Is(err, k) }
	if kind(fleet.ErrBusy) || kind(fleet.ErrTimeout) || kind(fleet.ErrUnreachable) || l.ctx.Err() != nil || kind(fleet.ErrAuth) && !denied(err) {
		l.halt = true
	}
	if kind(fleet.ErrAuth) && !denied(err) {
		l.session = nil // the token is no good; the next look logs in anew
	}
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: the look was called off", fleet.ErrTimeout)
	}
	if l.obs.Err == nil {
		l.obs.Err = &fleet.ProbeError{Target: l.cfg.Target, Op: op, Err: classify("openstack", err)}
	}
}
