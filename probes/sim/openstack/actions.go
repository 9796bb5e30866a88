package openstack

import (
	"sync"
	"time"
)

// pending is an action that was accepted and has not taken effect.
type pending struct {
	action string
	timer  *time.Timer
}

// actions holds what is under way, by server id. A real cloud keeps this as
// task_state: while it is set, other actions on the server are conflicts.
type actions struct {
	mu     sync.Mutex
	byID   map[string]*pending // guarded by mu
	closed bool                // guarded by mu
}

func newActions() *actions { return &actions{byID: map[string]*pending{}} }

// begin notes an action and runs then after a while, again and again until it
// reports done. It returns false if the server has one under way already.
func (a *actions) begin(id, action string, takes time.Duration, then func() (done bool)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.byID[id] != nil {
		return false
	}
	p := &pending{action: action}
	a.byID[id] = p
	p.timer = time.AfterFunc(takes, func() {
		done := then()
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case a.byID[id] != p: // closed meanwhile
		case done:
			delete(a.byID, id)
		default: // the message waits in its queue for the host to come back
			p.timer.Reset(takes)
		}
	})
	return true
}

// of returns the action under way on a server, or "".
func (a *actions) of(id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.byID[id]; p != nil {
		return p.action
	}
	return ""
}

func (a *actions) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for id, p := range a.byID {
		p.timer.Stop()
		delete(a.byID, id)
	}
}

// taskStates says what task_state shows while an action is under way.
var taskStates = map[string]string{"os-start": "powering-on", "os-stop": "powering-off", "reboot": "rebooting", "reboot-hard": "rebooting_hard", "evacuate": "rebuilding", "os-migrateLive": "migrating"}

// allowed says in which states an action may begin (nova/compute/api.py:
// check_instance_state).
var allowed = map[string][]string{
	"os-start":    {"SHUTOFF"},
	"os-stop":     {"ACTIVE", "ERROR"},
	"reboot":      {"ACTIVE"},
	"reboot-hard": {"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"},
	"evacuate":    {"ACTIVE", "SHUTOFF", "ERROR"},

	"os-migrateLive": {"ACTIVE", "PAUSED"},
}
