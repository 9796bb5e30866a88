package cloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

const (
	evacuateMin = 14 // before compute 2.14 one has to know whether disks are shared
	evacuateMax = 94 // since 2.95 the instance stays stopped where it was built again
)

// evacuable are the statuses an instance may have for it (nova/compute/api.py).
var evacuable = []string{"ACTIVE", "SHUTOFF", "ERROR"}

const rebuilding = "REBUILD"

// evacuate lets Nova build an instance again on another host of its choice
// (Compute API reference, "Evacuate Server"). It is for instances whose host is
// down alone: were it only cut off, two would write to one disk. Nova refuses
// the same, but what it takes for down is asked here first, and told.
func (o *OpenStack) evacuate(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	s, op, err := o.toMove(ctx, a, out, evacuateMin, evacuable...)
	if err != nil {
		return op, err
	}
	if err := o.hostIsDown(ctx, s.ServiceHost); err != nil {
		out.Text = "nothing was sent"
		return "read the host's service", err
	}
	request, sent := o.sendEvacuation(ctx, a.Target)
	if answered(sent) {
		return string(a.Kind), sent
	}
	return o.seeElsewhere(ctx, a, s, out, request, sent, evacuated)
}

// toMove reads an instance that is to go to another host: one whose host this
// account is shown, that nothing else is under way with, and that has one of the
// statuses it may have for it. op is what did not work.
func (o *OpenStack) toMove(ctx context.Context, a fleet.Action, out *fleet.Outcome, since int, statuses ...string) (s server, op string, err error) {
	const read = "read the instance"
	if o.session.minor < since {
		return s, string(a.Kind), fmt.Errorf("%w: compute 2.%d cannot do it without being told of its disks", fleet.ErrUnsupported, o.session.minor)
	}
	s, err = o.server(ctx, a.Target)
	if err != nil {
		return s, read, err
	}
	out.Before = s.where()
	out.After = out.Before
	switch {
	case s.ServiceHost == "":
		err = fmt.Errorf("%w: %w", fleet.ErrAuth, errHidden)
	case s.Task != "":
		err = fmt.Errorf("%w: it is %s", fleet.ErrBusy, fleet.Clean(s.Task, 40))
	case !slices.Contains(statuses, s.Status):
		err = fmt.Errorf("%w: it is %s", fleet.ErrUnsupported, s.Status)
	}
	return s, read, err
}

func (o *OpenStack) sendEvacuation(ctx context.Context, id string) (request string, err error) {
	ctx, cancel := half(ctx)
	defer cancel()
	return o.ask(ctx, o.session.computeAt(evacuateMax), serverPath(id)+"/action", map[string]any{"evacuate": map[string]any{}}, http.StatusOK)
}

var evacuated = words{"it was built again on ", rebuilding, "no answer, but it is being built again"}

// where is a status with the host it is on.
func (s server) where() string {
	text := fleet.Clean(s.Status, 32)
	if s.Host != "" {
		text += " on " + fleet.Clean(s.Host, fleet.MaxText)
	}
	return text
}

// hostIsDown returns nil where the cloud says that the host's compute service is
// down, and else why the host is not to be left.
func (o *OpenStack) hostIsDown(ctx context.Context, host string) error {
	s, err := o.computeService(ctx, host)
	if err == nil && !s.down() {
		err = fmt.Errorf("%w: the compute service of %s is %s, not down", fleet.ErrUnsupported, fleet.Clean(host, fleet.MaxText), fleet.Clean(s.State, 16))
	}
	return err
}

// computeService reads the compute service of a host.
func (o *OpenStack) computeService(ctx context.Context, host string) (service, error) {
	q := url.Values{"host": {host}, "binary": {computeBinary}}
	got, err := list(ctx, o, source{o.session.compute, "os-services", "services"}, q, parseService)
	if err != nil {
		return service{}, err
	}
	for _, s := range got.rows {
		if s.Host == host && s.Binary == computeBinary {
			return s, nil
		}
	}
	return service{}, fmt.Errorf("%w: no compute service of %s is shown", fleet.ErrUnsupported, fleet.Clean(host, fleet.MaxText))
}

// computeAt is the compute client with no newer a microversion than that.
func (s *session) computeAt(minor int) *gophercloud.ServiceClient {
	c := *s.compute
	c.Microversion = "2." + strconv.Itoa(min(s.minor, minor))
	return &c
}
