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
	s, op, err := o.toMove(ctx, a, out, migrateMin, "ACTIVE")
	if err != nil {
		return op, err
	}
	host, err := o.computeService(ctx, s.ServiceHost)
	if err == nil && host.down() {
		err = fmt.Errorf("%w: the compute service of %s is down", fleet.ErrUnsupported, fleet.Clean(s.ServiceHost, fleet.MaxText))
	}
	if err != nil {
		out.Text = "nothing was sent"
		return "read the host's service", err
	}
	request, sent := o.sendMigration(ctx, a.Target)
	if answered(sent) {
		return string(a.Kind), sent
	}
	return o.seeElsewhere(ctx, a, s, out, request, sent, migrated)
}

func (o *OpenStack) sendMigration(ctx context.Context, id string) (request string, err error) {
	ctx, cancel := half(ctx)
	defer cancel()
	body := map[string]any{"os-migrateLive": map[string]any{"host": nil, "block_migration": "auto"}}
	return o.ask(ctx, o.session.compute, serverPath(id)+"/action", body, http.StatusAccepted)
}
