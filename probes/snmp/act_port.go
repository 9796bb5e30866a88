package snmp

import (
	"context"
	"fmt"

	"plumb/fleet"
)

// Columns that are written or awaited, by ifIndex (RFC 2863).
var (
	ifAdminStatus = parseOID("1.3.6.1.2.1.2.2.1.7")
	ifOperStatus  = parseOID("1.3.6.1.2.1.2.2.1.8")
	ifAliasColumn = portColumns[ifAlias]
)

// ifAdminStatus that are written.
const (
	adminUp   = 1
	adminDown = 2
)

func adminWord(v value) string { return word(adminWords, v.small()) }

// port finds the port and makes sure of the machine. It returns the ifIndex.
func (h *hand) port(ctx context.Context) (uint32, error) {
	index, err := h.findPort(ctx, h.name)
	if err != nil {
		return 0, &stepError{"find port", err}
	}
	if err := h.checkSerial(ctx, h.action.Serial); err != nil {
		return 0, &stepError{"check identity", err}
	}
	return uint32(index), nil
}

func (h *hand) portUp(ctx context.Context) error   { return h.setAdmin(ctx, adminUp) }
func (h *hand) portDown(ctx context.Context) error { return h.setAdmin(ctx, adminDown) }

func (h *hand) setAdmin(ctx context.Context, want int64) error {
	index, err := h.port(ctx)
	if err != nil {
		return err
	}
	return h.replace(ctx, "ifAdminStatus", ifAdminStatus.plus(index), integer(want), adminWord)
}

// portAlias writes ifAlias.
func (h *hand) portAlias(ctx context.Context) error {
	alias, ok := h.action.Args["alias"]
	if !ok || !fleet.WritableAlias(alias) {
		return h.refuse("port-alias", fmt.Sprintf("an alias of at most %d printable ASCII characters is needed", fleet.MaxAlias))
	}
	index, err := h.port(ctx)
	if err != nil {
		return err
	}
	return h.replace(ctx, "ifAlias", ifAliasColumn.plus(index), octets([]byte(alias)), value.marked)
}

// portBounce sets the port down and, once its link is seen down or the wait for
// that is over, up again.
func (h *hand) portBounce(ctx context.Context) error {
	index, err := h.port(ctx)
	if err != nil {
		return err
	}
	admin := ifAdminStatus.plus(index)
	v, err := h.get(ctx, admin)
	if err != nil {
		return &stepError{"read ifAdminStatus", err}
	}
	h.out.Before = adminWord(v[0])
	if !same(v[0], integer(adminUp)) {
		return h.refuse("port-bounce", "the port is "+h.out.Before)
	}
	lost, err := h.put(ctx, write{"ifAdminStatus", admin, integer(adminDown)})
	if err != nil {
		return err
	}
	link, isUp := h.awaitDown(ctx, admin, ifOperStatus.plus(index))
	if isUp { // it never went down: there is nothing to take back
		h.out.After = "up"
		return h.notSo("ifAdminStatus", lost)
	}
	return h.raise(ctx, admin, link)
}

// awaitDown looks until port and link are down. It says in words what became of
// the link, and whether the port is seen to be up all the same. What cannot be
// read may be down.
func (h *hand) awaitDown(ctx context.Context, admin, oper oid) (link string, isUp bool) {
	isDown := false
	took, err := h.until(ctx, h.wait.settle, func() (bool, error) {
		v, err := h.get(ctx, admin, oper)
		if err != nil {
			return false, err
		}
		isUp, isDown = same(v[0], integer(adminUp)), word(operWords, v[1].small()) != "up"
		return !isUp && isDown, nil
	})
	switch {
	case err != nil:
		return "its link could not be read", false
	case isDown:
		return fmt.Sprintf("its link went down within %.1f s", took.Seconds()), isUp
	}
	return fmt.Sprintf("its link was not seen down within %.1f s", took.Seconds()), isUp
}

// raise sets the port up again. Whoever gave up meanwhile does not want it left
// down: from here on ctx ends nothing, the agent's own timeouts do.
func (h *hand) raise(ctx context.Context, admin oid, link string) error {
	h.unwatch()
	h.w.unwatch()
	ctx = context.WithoutCancel(ctx)
	lost, err := h.put(ctx, write{"ifAdminStatus", admin, integer(adminUp)})
	if err != nil {
		h.out.After, h.out.Text = "down", "the port is down: the agent refused to set it up again"
		return err
	}
	so, err := h.readBack(ctx, admin, integer(adminUp), adminWord)
	switch {
	case err != nil:
		h.out.After, h.out.Text = "", "the port may be down: it was set up again, and that could not be read back"
		return &stepError{"read back ifAdminStatus", err}
	case !so:
		err = h.notSo("ifAdminStatus", lost)
		h.out.Text = "the port is " + h.out.After + ": setting it up again had no effect"
		return err
	}
	h.out.Done = true
	h.out.Text = fmt.Sprintf("%s: down and up again; %s", h.name, link)
	return nil
}

// findPort reads the definitions, so that a moved ifIndex cannot be written to.
func (p *poll) findPort(ctx context.Context, name string) (int, error) {
	// The next Observe must still see that something changed.
	pulse, uptime, redefined := p.pulse, p.uptime, p.redefined
	defer func() { p.pulse, p.uptime, p.redefined = pulse, uptime, redefined }()
	if err := p.readPulse(ctx); err != nil {
		return 0, err
	}
	if !p.definePorts(ctx) {
		if p.err != nil {
			return 0, p.err
		}
		return 0, fmt.Errorf("%w: the device has no ports", fleet.ErrUnsupported)
	}
	for _, d := range p.ports.order {
		if d.def.Name == name {
			return d.def.Index, nil
		}
	}
	return 0, fmt.Errorf("%w: no port is called %q", fleet.ErrUnsupported, fleet.Clean(name, 64))
}
