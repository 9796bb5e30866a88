package cloud

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"plumb/fleet"
)

// server is the part of a server's detail that is used here (Compute API
// reference, "List Servers Detailed").
type server struct {
	ID             string               `json:"id"`
	Name           string               `json:"name"`
	Tenant         string               `json:"tenant_id"`
	Status         string               `json:"status"`
	Task           string               `json:"OS-EXT-STS:task_state"`
	VMState        string               `json:"OS-EXT-STS:vm_state"`
	PowerState     int                  `json:"OS-EXT-STS:power_state"`
	Zone           string               `json:"OS-EXT-AZ:availability_zone"`
	Host           string               `json:"OS-EXT-SRV-ATTR:hypervisor_hostname"` // admins only
	ServiceHost    string               `json:"OS-EXT-SRV-ATTR:host"`                // the same for its compute service
	HostStatus     string               `json:"host_status"`                         // admins only, since 2.16
	Launched       string               `json:"OS-SRV-USG:launched_at"`
	Fault          fault                `json:"fault"` // of an ERROR
	Metadata       map[string]string    `json:"metadata"`
	Tags           []string             `json:"tags"` // since 2.26
	Image          imageID              `json:"image"`
	Addresses      map[string][]address `json:"addresses"` // by network
	SecurityGroups []struct {
		Name string `json:"name"`
	} `json:"security_groups"`
	Flavor struct {
		ID   string `json:"id"`            // up to 2.46
		Name string `json:"original_name"` // since 2.47
	} `json:"flavor"`
}

// readServers lists the servers of all projects, or of the own project where
// that is all the account may see.
func (l *look) readServers() error {
	from := source{l.in.compute, "servers/detail", "servers"}
	if l.memory.sees[callAllProjects] != sightDenied || l.lane >= fleet.LaneSlow {
		got, err := list(l.ctx, l.OpenStack, from, url.Values{"limit": {"1000"}, "all_tenants": {"1"}}, parseServer)
		if !denied(err) {
			l.servers = got
			if err == nil {
				l.memory.sees[callAllProjects], l.memory.everything = seen, true
			}
			return err
		}
		l.memory.sees[callAllProjects] = sightDenied
	}
	var err error
	l.servers, err = list(l.ctx, l.OpenStack, from, url.Values{"limit": {"1000"}}, parseServer)
	if err == nil && l.memory.everything {
		l.servers.partial = "servers of other projects are not visible any more"
	}
	return err
}

// callAllProjects is whether servers of other projects are visible.
const callAllProjects call = "all_projects"

// maxID bounds an id; OpenStack's are UUIDs of 36 characters.
const maxID = 64

func parseServer(raw json.RawMessage) (string, server, error) {
	var s server
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", s, errors.New("server: " + jsonReason(err))
	}
	if s.ID == "" || len(s.ID) > maxID || fleet.Clean(s.ID, maxID) != s.ID {
		return "", s, errors.New("server without a usable id")
	}
	if s.Name == "" { // since 2.69 a cell that is down leaves only id and status
		return "", s, errors.New("server in a cell that is down")
	}
	return s.ID, s, nil
}

// Power states of a guest as the hypervisor sees it (nova/compute/power_state.py).
const (
	powerShutdown = 4
	powerCrashed  = 6
)

// state says how a server is by itself. What stands under it is the engine's to
// add: Nova keeps a server ACTIVE for as long as its host is dead.
//
//   - ok: it runs as itself. A guest that migrates live or gets a new password
//     runs on.
//   - warn: it is up but not as it should be, or is away for a moment that
//     users notice, or waits for a person: VERIFY_RESIZE, RESCUE, a reboot; and
//     a guest that halted itself while Nova still calls it ACTIVE.
//   - crit: ERROR, or ACTIVE on paper with a crashed guest.
//   - off: somebody stopped it. That is not sick.
//   - unknown: BUILD has not lived yet; any word that is not known here; and a
//     server whose host does not report, where the hypervisors themselves are
//     not visible: its status is only what Nova last heard.
func (s *server) state() fleet.State {
	switch s.Status {
	case "ACTIVE", "PASSWORD", "MIGRATING":
		switch {
		case s.PowerState == powerCrashed:
			return fleet.StateCrit
		case s.PowerState == powerShutdown:
			return fleet.StateWarn
		case s.HostStatus == "DOWN" || s.HostStatus == "UNKNOWN":
			return fleet.StateUnknown
		}
		return fleet.StateOK
	case "ERROR":
		return fleet.StateCrit
	case "SHUTOFF", "PAUSED", "SUSPENDED", "SHELVED", "SHELVED_OFFLOADED", "DELETED", "SOFT_DELETED":
		return fleet.StateOff
	case "REBOOT", "HARD_REBOOT", "REBUILD", "RESIZE", "REVERT_RESIZE", "VERIFY_RESIZE", "RESCUE":
		return fleet.StateWarn
	}
	return fleet.StateUnknown
}

// fillInstances turns servers into instances.
func (l *look) fillInstances() {
	l.table(fleet.TableInstances, callInstances, len(l.servers.rows), l.servers.partial)
	for i := range l.servers.rows {
		s := &l.servers.rows[i]
		addresses, public := addressesOf(s)
		l.obs.Instances = append(l.obs.Instances, fleet.Instance{
			ID:             s.ID,
			Name:           fleet.Clean(s.Name, fleet.MaxText),
			Cloud:          l.cfg.Target,
			Project:        fleet.Clean(s.Tenant, maxID),
			Region:         l.in.region,
			Zone:           fleet.Clean(s.Zone, fleet.MaxText),
			Type:           l.typeOf(s),
			State:          s.state(),
			RunState:       fleet.Clean(s.Status, 32),
			Host:           fleet.Clean(s.Host, fleet.MaxText),
			PlacementGroup: l.memory.groups[s.ID],
			SecurityGroups: groupsOf(s),
			Addresses:      addresses,
			Public:         public,
			Image:          string(s.Image),
			LaunchedAt:     launched(s.Launched),
			ChangedBy:      l.memory.made[s.ID].who,
			ChangedAt:      l.memory.made[s.ID].at,
			Tags:           tagsOf(s),
		})
	}
}

func (l *look) typeOf(s *server) string {
	switch {
	case s.Flavor.Name != "":
		return fleet.Clean(s.Flavor.Name, fleet.MaxText)
	case l.memory.flavors[s.Flavor.ID] != "":
		return l.memory.flavors[s.Flavor.ID]
	}
	return fleet.Clean(s.Flavor.ID, fleet.MaxText)
}

// launched reads OS-SRV-USG:launched_at, UTC without saying so.
func launched(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999999", time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Bounds of an instance's tags: Nova allows 128 metadata items and 50 tags.
const (
	maxTags   = 200
	maxTagKey = 128
)

// tagsOf joins metadata with tags. A tag is one word; "key=value" is read as
// what it looks like, and metadata wins where both name a key.
func tagsOf(s *server) map[string]string {
	tags := make(map[string]string, min(len(s.Metadata)+len(s.Tags), maxTags))
	put := func(k, v string) {
		if k = fleet.Clean(k, maxTagKey); k != "" && len(tags) < maxTags {
			tags[k] = fleet.Clean(v, fleet.MaxText)
		}
	}
	for _, t := range s.Tags {
		k, v, _ := strings.Cut(t, "=")
		put(k, v)
	}
	for k, v := range s.Metadata {
		put(k, v)
	}
	return tags
}

// serverPath is the path of one server; an id is never more than one element.
func serverPath(id string) string { return "servers/" + url.PathEscape(id) }
