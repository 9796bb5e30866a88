package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// deed is what an action does, logged in. It returns the step that failed.
type deed func(o *OpenStack, ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error)

// deeds are the actions of a cloud.
var deeds = map[fleet.ActionKind]deed{
	fleet.ActInstanceStart:    (*OpenStack).power,
	fleet.ActInstanceStop:     (*OpenStack).power,
	fleet.ActInstanceReboot:   (*OpenStack).power,
	fleet.ActInstanceEvacuate: (*OpenStack).evacuate,
	fleet.ActInstanceMigrate:  (*OpenStack).migrate,
	fleet.ActHostDrain:        (*OpenStack).enable,
	fleet.ActHostUndrain:      (*OpenStack).enable,
	fleet.ActRuleRemove:       (*OpenStack).removeRule,
}

// How long what was accepted is awaited to show, and how often it is looked at.
const (
	settleFor  = 3 * time.Second
	settleStep = 250 * time.Millisecond
)

// Act starts, stops, reboots, moves or evacuates an instance, lets the cloud use
// a host or not, or takes a rule out of a security group. For an instance the outcome says that the API accepted the
// action, no more: a real cloud answers 202 at once also where the host under
// the instance is dead. Only a later look can say that it is so. A rule and a
// host's service are read back.
//
// Nothing is sent twice: the one repeat there is, after a 401, is of a request
// that was refused before it was carried out.
func (o *OpenStack) Act(ctx context.Context, a fleet.Action) (fleet.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	out := fleet.Outcome{At: o.now().UTC()}
	op, err := o.act(ctx, a, &out)
	out.At = o.now().UTC()
	if err == nil {
		return out, nil
	}
	switch {
	case o.session == nil: // it did not come so far
	case denied(err), errors.Is(err, errHidden):
		err = fmt.Errorf("%w; user %s in project %s may not do this: give the cloud a credential with the role admin", err, o.session.user, o.session.project)
	case errors.Is(err, fleet.ErrAuth):
		o.session = nil
	}
	return out, &fleet.ProbeError{Target: o.cfg.Target, Op: op, Err: classify("openstack", err)}
}

// errHidden is an account that is not shown what an action has to know.
var errHidden = errors.New("this account is not shown the host")

func (o *OpenStack) act(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	do := deeds[a.Kind]
	if do == nil {
		return string(a.Kind), fmt.Errorf("%w: %s is nothing a cloud can do", fleet.ErrUnsupported, fleet.Clean(string(a.Kind), 40))
	}
	if o.session == nil {
		if o.session, err = o.login(ctx); err != nil {
			o.session = nil
			return "log in", err
		}
	}
	return do(o, ctx, a, out)
}

// wish is what an action asks of Nova.
type wish struct {
	body map[string]any
	done string // the status that says there is nothing left to do
}

// wishFor returns what an action means here (Compute API reference, "Servers -
// run an action").
func wishFor(a fleet.Action) (wish, error) {
	switch a.Kind {
	case fleet.ActInstanceStart:
		return wish{map[string]any{"os-start": nil}, "ACTIVE"}, nil
	case fleet.ActInstanceStop:
		return wish{map[string]any{"os-stop": nil}, "SHUTOFF"}, nil
	}
	kind := strings.ToUpper(a.Args["type"])
	if kind == "" {
		kind = "SOFT"
	}
	if kind != "SOFT" && kind != "HARD" {
		return wish{}, fmt.Errorf("%w: a reboot is soft or hard", fleet.ErrUnsupported)
	}
	return wish{map[string]any{"reboot": map[string]string{"type": kind}}, ""}, nil
}

// power starts, stops or reboots an instance.
func (o *OpenStack) power(ctx context.Context, a fleet.Action, out *fleet.Outcome) (op string, err error) {
	w, err := wishFor(a)
	if err != nil {
		return string(a.Kind), err
	}
	s, err := o.server(ctx, a.Target)
	if err != nil {
		return "read the instance", err
	}
	out.Before = s.Status
	if s.Status == w.done {
		out.Done, out.After, out.Text = true, s.Status, "it was "+s.Status+" already"
		return "", nil
	}
	if _, err := o.ask(ctx, o.session.compute, serverPath(a.Target)+"/action", w.body, http.StatusAccepted); err != nil {
		return string(a.Kind), err
	}
	out.Done, out.Text = true, "accepted; not seen to have happened yet"
	if s, err := o.server(ctx, a.Target); err == nil {
		out.After = s.Status
	}
	return "", nil
}

// server reads one server.
func (o *OpenStack) server(ctx context.Context, id string) (server, error) {
	var doc struct {
		Server server `json:"server"`
	}
	if id == "" || len(id) > maxID {
		return server{}, fmt.Errorf("%w: no such instance", fleet.ErrUnsupported)
	}
	if err := o.get(ctx, o.session.compute, serverPath(id), nil, &doc); err != nil {
		return server{}, err
	}
	if doc.Server.ID != id {
		return server{}, fmt.Errorf("%w: asked for one instance, answered another", fleet.ErrProtocol)
	}
	doc.Server.Status = fleet.Clean(doc.Server.Status, 32)
	return doc.Server, nil
}

// ask sends an action; of its answer only the id of the request counts, under
// which Nova writes down what becomes of it.
func (o *OpenStack) ask(ctx context.Context, sc *gophercloud.ServiceClient, path string, body any, ok int) (request string, err error) {
	resp, err := sc.Post(withAPI(ctx, sc.Type), sc.Endpoint+path, body, nil, &gophercloud.RequestOpts{OkCodes: []int{ok}})
	if err != nil {
		return "", classify(sc.Type, err)
	}
	return resp.Header.Get("X-Openstack-Request-Id"), nil
}

// answered reports whether err is the API's own no: nothing was carried out.
// Anything else is a lost answer, and no lost action.
func answered(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status < http.StatusInternalServerError
}

// missing reports that what was asked for is not there.
func missing(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status == http.StatusNotFound
}

// half leaves the other half of the time for reading back.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}
