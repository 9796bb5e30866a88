package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"plumb/fleet"
)

// words are how one way to another host is told.
type words struct{ done, busy, lost string }

// seeElsewhere looks until the instance lives on another host, or the cloud says
// that it gave up, or for a while. A cloud takes an action before it looks for a
// host: that there is none is only seen afterwards.
func (o *OpenStack) seeElsewhere(ctx context.Context, a fleet.Action, was server, out *fleet.Outcome, request string, sent error, say words) (op string, err error) {
	begun := false
	for began := o.now(); ; {
		s, err := o.server(ctx, a.Target)
		if err == nil {
			out.After = s.where()
			busy := s.Status == say.busy || s.Task != ""
			begun = begun || busy
			if !busy && s.ServiceHost != was.ServiceHost && s.Status != statusError {
				out.Done, out.Text = true, say.done+fleet.Clean(s.ServiceHost, fleet.MaxText)
				return "", nil
			}
			if why := o.gaveUp(ctx, &s, busy, request); why != "" {
				out.Text = "the cloud gave up; it is " + out.After
				return string(a.Kind), fmt.Errorf("%w: the cloud gave up: %s", fleet.ErrUnsupported, why)
			}
		}
		if o.now().Sub(began) >= o.settle || pause(ctx, settleStep) != nil {
			break
		}
	}
	switch {
	case sent == nil:
		out.Done, out.Text = true, "accepted; not seen elsewhere yet"
	case begun:
		out.Done, out.Text = true, say.lost
	default:
		out.Text = "no answer, and it is where it was"
		return string(a.Kind), sent
	}
	return "", nil
}

const statusError = "ERROR"

// gaveUp is why the cloud did not do what it took, in its own words; "": it may
// still do it, or nobody may know.
func (o *OpenStack) gaveUp(ctx context.Context, s *server, busy bool, request string) string {
	if busy || request == "" {
		return ""
	}
	var doc struct {
		Action deedDone `json:"instanceAction"`
	}
	path := serverPath(s.ID) + "/os-instance-actions/" + url.PathEscape(request)
	if err := o.get(ctx, o.session.compute, path, nil, &doc); err != nil {
		return "" // it is not written down yet, or not for this account
	}
	return doc.Action.failure(s)
}

// deedDone is what Nova writes down of an action (Compute API reference, "Show
// Server Action Details"). The traceback in it is that of a stack of calls, and
// says nothing of the reason.
type deedDone struct {
	Events []struct {
		Event   string `json:"event"`
		Result  string `json:"result"`
		Details string `json:"details"` // since 2.84
	} `json:"events"` // newest first
}

// failure is why the first step of it that failed did; "": none did. Of a server
// that is in ERROR since, the server says it too.
func (d *deedDone) failure(s *server) string {
	for _, e := range slices.Backward(d.Events) {
		switch {
		case e.Result != "Error":
		case e.Details != "":
			return fleet.Clean(e.Details, fleet.MaxText)
		case s.Status == statusError && s.Fault.Message != "":
			return fleet.Clean(s.Fault.Message, fleet.MaxText)
		default:
			return fleet.Clean(e.Event, 80) + " failed"
		}
	}
	return ""
}

// fault is why a server is in ERROR.
type fault struct{ Message string }

// UnmarshalJSON reads a fault; what is none says nothing.
func (f *fault) UnmarshalJSON(b []byte) error {
	var doc struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(b, &doc) == nil {
		f.Message = doc.Message
	}
	return nil
}
