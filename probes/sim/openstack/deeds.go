package openstack

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// ErrNoHost says that no host can take a server.
var ErrNoHost = errors.New("no host can take it")

// noValidHost are Nova's words for that (nova/conductor/manager.py).
const noValidHost = "No valid host was found. There are not enough hosts available."

// deed is an action that was accepted, and what became of it.
type deed struct {
	id, request, action, user string
	at, ended                 time.Time // ended is zero while it is under way
	failed                    string    // why; empty: it did not
}

// deeds remembers the last actions on each server, as Nova's instance actions.
type deeds struct {
	mu   sync.Mutex
	byID map[string][]*deed // newest first; guarded by mu, as are ended and failed
}

// maxDeeds bounds what is remembered of one server.
const maxDeeds = 10

func newDeeds() *deeds { return &deeds{byID: map[string][]*deed{}} }

func (s *deeds) add(d *deed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := append([]*deed{d}, s.byID[d.id]...)
	s.byID[d.id] = list[:min(len(list), maxDeeds)]
}

func (s *deeds) end(d *deed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.ended = time.Now()
	switch {
	case errors.Is(err, ErrNoHost):
		d.failed = noValidHost
	case err != nil:
		d.failed = err.Error()
	}
}

// of returns the actions on a server as they are now, newest first.
func (s *deeds) of(id string) []deed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []deed
	for _, d := range s.byID[id] {
		out = append(out, *d)
	}
	return out
}

// deedNames are what Nova calls actions and their first step
// (nova/compute/instance_actions.py).
var deedNames = map[string][2]string{"os-start": {"start", "compute_start_instance"}, "os-stop": {"stop", "compute_stop_instance"},
	"reboot": {"reboot", "compute_reboot_instance"}, "reboot-hard": {"reboot", "compute_reboot_instance"},
	"evacuate": {"evacuate", "rebuild_server"}, "os-migrateLive": {"live-migration", "conductor_live_migrate_instance"}}

// getDeeds answers /servers/{id}/os-instance-actions, and one by its request.
func (s compute) getDeeds(r *request, id string, one []string) (reply, error) {
	v := s.mayTouch(r, id)
	if v == nil {
		return reply{}, noInstance(id)
	}
	all := s.deeds.of(id)
	if len(one) == 0 {
		rows := []any{}
		for i := range all {
			rows = append(rows, all[i].row(v))
		}
		for _, d := range v.Done {
			rows = append(rows, (&deed{id: v.ID, request: "req-" + v.ID, action: d.Action, user: d.UserID, at: d.At}).row(v))
		}
		return ok(map[string]any{"instanceActions": rows}), nil
	}
	n := slices.IndexFunc(all, func(d deed) bool { return d.request == one[0] })
	if n < 0 {
		return reply{}, refuse(http.StatusNotFound, "Action for request_id "+one[0]+" on instance "+id+" could not be found.")
	}
	row := all[n].row(v)
	row["events"] = all[n].events(r)
	return ok(map[string]any{"instanceAction": row}), nil
}

func (d *deed) row(v *Instance) map[string]any {
	name := deedNames[d.action][0]
	if name == "" {
		name = d.action
	}
	m := map[string]any{"action": name, "instance_uuid": v.ID, "request_id": d.request, "user_id": d.user, "project_id": v.ProjectID,
		"start_time": stampMicro(d.at), "updated_at": stampMicro(later(d.ended, d.at)), "message": nil}
	if d.failed != "" {
		m["message"] = "Error"
	}
	return m
}

// events is the one step that is told here; a real cloud tells of several.
func (d *deed) events(r *request) []any {
	e := map[string]any{"event": deedNames[d.action][1], "start_time": stampMicro(d.at), "finish_time": nil, "result": nil}
	if !d.ended.IsZero() {
		e["finish_time"], e["result"] = stampMicro(d.ended), "Success"
	}
	if d.failed != "" {
		e["result"] = "Error"
	}
	if r.grant.user.Admin {
		e["traceback"] = nil
		if d.failed != "" { // of the calls, without the reason
			e["traceback"] = "  File \"nova/conductor/manager.py\", line 940, in _schedule_instances\n    raise result\n"
		}
	}
	if r.minor >= 84 {
		e["details"] = orNull(d.failed)
	}
	return []any{e}
}
