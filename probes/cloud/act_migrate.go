package cloud

import (
	"context"
	"fmt"
	"net/http"

	"plumb/fleet"
)

// migrateMin is since when Nova finds out itself whether disks are shared.
const migrateMin = 25

var migrated = words{"it moved to ", "MIGRATING", "no answer, but it is on its way"}

// migrate lets Nova move an instance to another host of its choice while it runs
// (Compute API reference, "Live-Migrate Server"). What does not run is not
// moved, and from a host that is down nothing can be: that is what an evacuation
// is for.
func (o *OpenStack) migrate(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	const read = "read the instance"
	if o.session.minor < migrateMin {
		return string(a.Kind), fmt.Errorf("%w: compute 2.%d cannot do it without being told of its disks", fleet.ErrUnsupported, o.session.minor)
	}
	s, err := o.server(ctx, a.Target)
	if err != nil {
		return read, err
	}
	out.Before = s.where()
	out.After = out.Before
	switch {
	case s.ServiceHost == "":
		return read, fmt.Errorf("%w: this account is not shown the host", fleet.ErrAuth)
	case s.Task != "":
		return read, fmt.Errorf("%w: it is %s", fleet.ErrBusy, fleet.Clean(s.Task, 40))
	case s.Status != "ACTIVE":
		return read, fmt.Errorf("%w: it is %s", fleet.ErrUnsupported, s.Status)
	}
	host, err := o.computeService(ctx, s.ServiceHost)
	if err == nil && host.down() {
		err = fmt.Errorf("%w: the compute service of %s is down", fleet.ErrUnsupported, fleet.Clean(s.ServiceHost, fleet.MaxText))
	}
	if err != nil {
		out.Text = "nothing was sent"
		return "read the host's service", err
	}
	sent := o.sendMigration(ctx, a.Target)
	if answered(sent) {
		return string(a.Kind), sent
	}
	return o.seeElsewhere(ctx, a, s, out, sent, migrated)
}

func (o *OpenStack) sendMigration(ctx context.Context, id string) error {
	ctx, cancel := half(ctx)
	defer cancel()
	body := map[string]any{"os-migrateLive": map[string]any{"host": nil, "block_migration": "auto"}}
	return o.post(ctx, o.session.compute, serverPath(id)+"/action", body, http.StatusAccepted)
}
