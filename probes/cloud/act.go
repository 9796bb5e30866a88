package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

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
	case fleet.ActInstanceReboot:
		kind := strings.ToUpper(a.Args["type"])
		if kind == "" {
			kind = "SOFT"
		}
		if kind == "SOFT" || kind == "HARD" {
			return wish{map[string]any{"reboot": map[string]string{"type": kind}}, ""}, nil
		}
	}
	return wish{}, fmt.Errorf("%w: %s is nothing an instance can do", fleet.ErrUnsupported, fleet.Clean(string(a.Kind), 40))
}

// Act starts, stops or reboots an instance. The outcome says that the API
// accepted the action, no more: a real cloud answers 202 at once also where the
// host under the instance is dead. Only a later look can say that it is so.
//
// Nothing is sent twice: the one repeat there is, after a 401, is of a request
// that was refused before it was carried out.
func (o *OpenStack) Act(ctx context.Context, a fleet.Action) (fleet.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	out := fleet.Outcome{At: o.now().UTC()}
	fail := func(op string, err error) (fleet.Outcome, error) {
		if errors.Is(err, fleet.ErrAuth) && !denied(err) {
			o.session = nil
		}
		out.At = o.now().UTC()
		return out, &fleet.ProbeError{Target: o.cfg.Target, Op: op, Err: classify("compute", err)}
	}
	w, err := wishFor(a)
	if err != nil {
		return fail(string(a.Kind), err)
	}
	if o.session == nil {
		if o.session, err = o.login(ctx); err != nil {
			o.session = nil
			return fail("log in", err)
		}
	}
	s, err := o.server(ctx, a.Target)
	if err != nil {
		return fail("read the instance", err)
	}
	out.Before = s.Status
	if s.Status == w.done {
		out.Done, out.After, out.Text, out.At = true, s.Status, "it was "+s.Status+" already", o.now().UTC()
		return out, nil
	}
	if err := o.post(ctx, serverPath(a.Target)+"/action", w.body); err != nil {
		return fail(string(a.Kind), err)
	}
	out.Done, out.Text, out.At = true, "accepted; not seen to have happened yet", o.now().UTC()
	if s, err := o.server(ctx, a.Target); err == nil {
		out.After = s.Status
	}
	return out, nil
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

// post sends an action; the answer is 202 without a body.
func (o *OpenStack) post(ctx context.Context, path string, body any) error {
	sc := o.session.compute
	_, err := sc.Post(withAPI(ctx, sc.Type), sc.Endpoint+path, body, nil, &gophercloud.RequestOpts{OkCodes: []int{http.StatusAccepted}})
	return classify(sc.Type, err)
}
