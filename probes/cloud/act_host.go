package cloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// serviceMin is since when a service has an id that is the same everywhere.
const serviceMin = 53

const (
	serviceOn  = "enabled"
	serviceOff = "disabled"
)

// enable lets the scheduler use a host, or not (Compute API reference, "Update
// Compute Service"). The target is the hypervisor's name. What runs on the host
// is not touched. The note that Nova keeps beside a disabled service says whose
// it is, so that nobody has to guess whether it may be taken back.
func (o *OpenStack) enable(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	const read = "read the host's service"
	if o.session.minor < serviceMin {
		return string(a.Kind), fmt.Errorf("%w: compute 2.%d knows services by number only", fleet.ErrUnsupported, o.session.minor)
	}
	host, err := o.serviceHost(ctx, a.Target)
	if err != nil {
		return "read the hypervisor", err
	}
	s, err := o.computeService(ctx, host)
	if err != nil {
		return read, err
	}
	out.Before = s.text()
	out.After = out.Before
	want, body := serviceOn, map[string]any{"status": serviceOn}
	if a.Kind == fleet.ActHostDrain {
		want = serviceOff
		body = map[string]any{"status": serviceOff, "disabled_reason": fleet.Clean(a.Why, maxReason)}
	}
	if err := s.othersHand(a, want); err != nil {
		out.Text = "nothing was sent"
		return "check whose it is", err
	}
	if s.Status == want {
		out.Done, out.Text = true, "it was "+out.Before+" already; nothing was sent"
		return "", nil
	}
	sent := o.putService(ctx, s, body)
	if answered(sent) {
		return string(a.Kind), sent
	}
	now, err := o.computeService(ctx, host)
	switch {
	case err != nil:
		out.After, out.Text = "", "it may have happened; it could not be read back"
		return read, err
	case now.Status != want && sent != nil:
		out.Text = "no answer, and it is as it was"
		return string(a.Kind), sent
	case now.Status != want:
		out.Text = "the cloud said yes and it is as it was"
		return read, fmt.Errorf("%w: %s", fleet.ErrProtocol, out.Text)
	}
	out.Done, out.After = true, now.text()
	out.Text = out.Before + " -> " + out.After
	return "", nil
}

// maxReason is what Nova keeps of a reason, in characters.
const maxReason = 255

// noReason is the note of a host that was disabled without one.
const noReason = "no reason given"

// text is a status with the note beside it.
func (s *service) text() string {
	text := fleet.Clean(s.Status, 16)
	switch {
	case s.Disabled != "":
		text += ": " + fleet.Clean(s.Disabled, fleet.MaxText)
	case s.Status == serviceOff:
		text += ": " + noReason
	}
	return text
}

// othersHand returns why a host is not to be touched: somebody else took it
// out, or did since it was decided. A drain that finds it out already has taken
// nothing, and must not be given back later; what is given back is what plumb
// took, or exactly what was seen by who decided it.
func (s *service) othersHand(a fleet.Action, want string) error {
	is, own := s.text(), fleet.OwnNote(s.Disabled)
	switch {
	case s.Status != serviceOff:
		return nil
	case want == serviceOff && s.Disabled != fleet.Clean(a.Why, maxReason):
		return fmt.Errorf("%w: it is %s: it was taken out before", fleet.ErrUnsupported, is)
	case want == serviceOn && a.Was != "" && a.Was != is:
		return fmt.Errorf("%w: it is %s, and was %s when that was decided", fleet.ErrUnsupported, is, fleet.Clean(a.Was, fleet.MaxText))
	case want == serviceOn && a.Was == "" && !own:
		return fmt.Errorf("%w: it is %s: whoever took it out decides when it comes back", fleet.ErrUnsupported, is)
	}
	return nil
}

// serviceHost is what the compute service of a hypervisor calls itself: with
// most drivers the same name, with some only the first part of it.
func (o *OpenStack) serviceHost(ctx context.Context, name string) (string, error) {
	if name == "" || len(name) > maxID {
		return "", fmt.Errorf("%w: no such hypervisor", fleet.ErrUnsupported)
	}
	q := url.Values{"hypervisor_hostname_pattern": {name}}
	got, err := list(ctx, o, source{o.session.compute, "os-hypervisors/detail", "hypervisors"}, q, parseHypervisor)
	if err != nil && !missing(err) {
		return "", err
	}
	for _, h := range got.rows {
		if h.Name == name && h.Service.Host != "" {
			return h.Service.Host, nil
		}
	}
	return "", fmt.Errorf("%w: the cloud shows no hypervisor %s", fleet.ErrUnsupported, fleet.Clean(name, fleet.MaxText))
}

func (o *OpenStack) putService(ctx context.Context, s service, body map[string]any) error {
	ctx, cancel := half(ctx)
	defer cancel()
	id := string(s.ID)
	if !usableID(id) {
		return fmt.Errorf("%w: the compute service has no usable id", fleet.ErrProtocol)
	}
	sc := o.session.compute
	_, err := sc.Put(withAPI(ctx, sc.Type), sc.Endpoint+"os-services/"+url.PathEscape(id), body, nil, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return classify(sc.Type, err)
}
