package openstack

import (
	"fmt"
	"net/http"
	"slices"
)

// action accepts os-start, os-stop, reboot, evacuate and os-migrateLive. The answer is 202 as
// soon as the state allows the action (200 for an evacuation, as Nova has it);
// whether it ever takes effect is another matter.
func (s compute) action(r *request, id string) (reply, error) {
	v := s.mayTouch(r, id)
	if v == nil {
		return reply{}, noInstance(id)
	}
	name, e := actionName(r)
	if e != nil {
		return reply{}, e
	}
	verb := map[string]string{"os-start": "start", "os-stop": "stop", "reboot": "reboot", "reboot-hard": "reboot", "evacuate": "evacuate", "os-migrateLive": "os-migrateLive"}[name]
	if !slices.Contains(allowed[name], v.Status) {
		vm := vmStates[v.Status]
		return reply{}, refuse(http.StatusConflict, fmt.Sprintf("Cannot '%s' instance %s while it is in vm_state %s", verb, id, vm))
	}
	if name == "evacuate" {
		if e := s.mayEvacuate(r, v); e != nil {
			return reply{}, e
		}
	}
	if name == "os-migrateLive" {
		if e := s.mayMigrate(r, v); e != nil {
			return reply{}, e
		}
	}
	region, host := r.call.Region, v.Host
	d := &deed{id: id, request: r.id, action: name, user: derivedID("user", r.grant.user.Name), at: r.now}
	began := s.actions.begin(id, name, s.cfg.ActionTakes, func() bool { return s.takeEffect(region, host, d) })
	if !began {
		return reply{}, refuse(http.StatusConflict, fmt.Sprintf("Cannot '%s' instance %s while it is in task_state %s", verb, id, taskStates[s.actions.of(id)]))
	}
	s.deeds.add(d)
	if name == "evacuate" {
		return reply{status: http.StatusOK}, nil
	}
	return reply{status: http.StatusAccepted}, nil
}

// mayEvacuate refuses as Nova does: for those who are no admin, before 2.14 for
// want of an argument, and while the host's service runs.
func (s compute) mayEvacuate(r *request, v *Instance) *apiError {
	if !r.grant.user.Admin {
		return forbidden("os_compute_api:os-evacuate")
	}
	if r.minor < 14 {
		return refuse(http.StatusBadRequest, "Invalid input for field/attribute evacuate. Value: {}. 'onSharedStorage' is a required property")
	}
	if h := r.region.hostNamed(v.Host); h == nil || h.Up {
		return refuse(http.StatusBadRequest, "Compute service of "+v.Host+" is still in use.")
	}
	return nil
}

// mayMigrate refuses as Nova does: for those who are no admin, before 2.25 for
// want of an argument, and while the host's service does not run.
func (s compute) mayMigrate(r *request, v *Instance) *apiError {
	if !r.grant.user.Admin {
		return forbidden("os_compute_api:os-migrate-server:migrate_live")
	}
	if r.minor < 25 {
		return refuse(http.StatusBadRequest, "Invalid input for field/attribute os-migrateLive. 'disk_over_commit' is a required property")
	}
	if h := r.region.hostNamed(v.Host); h == nil || !h.Up {
		return refuse(http.StatusBadRequest, "Compute service of "+v.Host+" is unavailable at this time.")
	}
	return nil
}

// takeEffect does an accepted action; it reports false while the host is dead.
func (s *Server) takeEffect(region, host string, d *deed) bool {
	reg := s.cfg.State(region)
	if reg == nil {
		return false
	}
	if h := reg.hostNamed(host); h != nil && !h.Up && d.action != "evacuate" {
		return false
	}
	name := d.action
	if name == "reboot-hard" {
		name = "reboot"
	}
	s.deeds.end(d, s.cfg.Act(region, d.id, name))
	return true
}

// actionName reads the one key of the body: {"os-start": null} and its like.
func actionName(r *request) (string, *apiError) {
	var body map[string]any
	if e := decode(r, &body); e != nil {
		return "", e
	}
	if len(body) != 1 {
		return "", refuse(http.StatusBadRequest, "Malformed request body: one action is expected")
	}
	for name, arg := range body {
		switch name {
		case "os-start", "os-stop", "evacuate":
			return name, nil
		case "os-migrateLive":
			return name, migrateArgs(arg)
		case "reboot":
			return rebootName(arg)
		}
		return "", refuse(http.StatusBadRequest, "There is no such action: "+name)
	}
	panic("unreachable: the map has one key")
}

// migrateArgs wants both of its arguments, as Nova's schema does; the scheduler
// picks the host.
func migrateArgs(arg any) *apiError {
	m, _ := arg.(map[string]any)
	host, given := m["host"]
	if block, is := m["block_migration"].(string); !given || host != nil || !is || block != "auto" {
		return refuse(http.StatusBadRequest, "Invalid input for field/attribute os-migrateLive: host null and block_migration auto are expected")
	}
	return nil
}

func rebootName(arg any) (string, *apiError) {
	m, _ := arg.(map[string]any)
	switch m["type"] {
	case "SOFT", "Soft", "soft":
		return "reboot", nil
	case "HARD", "Hard", "hard":
		return "reboot-hard", nil
	}
	return "", refuse(http.StatusBadRequest, "Invalid input for field/attribute type. Value is not one of ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']")
}
