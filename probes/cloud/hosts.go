package cloud

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"

	"plumb/fleet"
)

// hypervisor is the part of a hypervisor's detail that is used here (Compute
// API reference, "List Hypervisors Details"). Capacity is not: since 2.88 it is
// only to be had from placement.
type hypervisor struct {
	ID         anyID  `json:"id"` // a uuid since 2.53, a number before
	Name       string `json:"hypervisor_hostname"`
	State      string `json:"state"`
	Status     string `json:"status"`
	Type       string `json:"hypervisor_type"`
	RunningVMs *int   `json:"running_vms"` // up to 2.87
	Service    struct {
		Host     string `json:"host"`
		Disabled string `json:"disabled_reason"`
	} `json:"service"`
}

// service is a row of os-services.
type service struct {
	ID       anyID  `json:"id"` // a uuid since 2.53, a number before
	Binary   string `json:"binary"`
	Host     string `json:"host"`
	Zone     string `json:"zone"`
	State    string `json:"state"`
	Status   string `json:"status"`
	Disabled string `json:"disabled_reason"`
	Forced   bool   `json:"forced_down"` // since 2.11
}

// down reports whether the cloud takes the service for dead.
func (s *service) down() bool { return s.State == "down" || s.Forced }

// anyID reads an id that is text or a number.
type anyID string

// UnmarshalJSON takes a string or a whole number.
func (a *anyID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(a))
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	*a = anyID(strconv.FormatInt(n, 10))
	return err
}

func (l *look) readHypervisors() error {
	q := url.Values{}
	if l.in.minor >= 33 { // no paging before
		q.Set("limit", "1000")
	}
	var err error
	l.hosts, err = list(l.ctx, l.OpenStack, source{l.in.compute, "os-hypervisors/detail", "hypervisors"}, q, parseHypervisor)
	return err
}

func parseHypervisor(raw json.RawMessage) (string, hypervisor, error) {
	var h hypervisor
	if err := json.Unmarshal(raw, &h); err != nil {
		return "", h, errors.New("hypervisor: " + jsonReason(err))
	}
	id := string(h.ID)
	if id == "" || len(id) > maxID || fleet.Clean(id, maxID) != id || h.Name == "" {
		return "", h, errors.New("hypervisor without a usable id or name")
	}
	return id, h, nil
}

func (l *look) readServices() error {
	var err error
	l.services, err = list(l.ctx, l.OpenStack, source{l.in.compute, "os-services", "services"}, nil, parseService)
	return err
}

func parseService(raw json.RawMessage) (string, service, error) {
	var s service
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", s, errors.New("service: " + jsonReason(err))
	}
	return s.Binary + "\x00" + s.Host, s, nil
}

const computeBinary = "nova-compute"

// fillHosts joins hypervisors with the nova-compute that runs on each, with
// what placement last said of it, and with the servers that were just read.
func (l *look) fillHosts() {
	l.table(fleet.TableHosts, callHosts, len(l.hosts.rows), l.hosts.partial)
	if len(l.hosts.rows) == 0 {
		return
	}
	agents := map[string]*service{}
	for i := range l.services.rows {
		if s := &l.services.rows[i]; s.Binary == computeBinary {
			agents[s.Host] = s
		}
	}
	guests, zones := l.guests()
	for i := range l.hosts.rows {
		h := &l.hosts.rows[i]
		host := fleet.Host{
			ID:          string(h.ID),
			Name:        fleet.Clean(h.Name, fleet.MaxText),
			Zone:        fleet.Clean(zones[h.Name], fleet.MaxText),
			State:       known(h.State, "up", "down"),
			Status:      known(h.Status, "enabled", "disabled"),
			Type:        fleet.Clean(h.Type, fleet.MaxText),
			RunningVMs:  guests[h.Name],
			Maintenance: fleet.Clean(h.Service.Disabled, fleet.MaxText),
			Resources:   l.memory.providers[string(h.ID)].resources,
		}
		if h.RunningVMs != nil {
			host.RunningVMs = max(0, *h.RunningVMs)
		}
		if a := agents[h.Service.Host]; a != nil {
			merge(&host, a)
		}
		if host.Status == "disabled" && host.Maintenance == "" {
			host.Maintenance = noReason
		}
		l.obs.Hosts = append(l.obs.Hosts, host)
	}
}

// guests counts the servers on each host, which is all that hypervisors tell
// since 2.88, and says which zone they are in: the zone of a host whose
// services are not visible.
func (l *look) guests() (count map[string]int, zone map[string]string) {
	count, zone = map[string]int{}, map[string]string{}
	for i := range l.servers.rows {
		if s := &l.servers.rows[i]; s.Host != "" {
			count[s.Host]++
			zone[s.Host] = s.Zone
		}
	}
	return count, zone
}

// merge takes from nova-compute's own row what the hypervisor's lacks. The
// worse word counts: a service that was forced down is down at once, while the
// hypervisor may lag.
func merge(h *fleet.Host, a *service) {
	h.Zone = fleet.Clean(a.Zone, fleet.MaxText)
	if a.down() {
		h.State = "down"
	}
	if a.Status == "disabled" {
		h.Status = "disabled"
	}
	if a.Disabled != "" {
		h.Maintenance = fleet.Clean(a.Disabled, fleet.MaxText)
	}
}

// known returns the word if it is one of those that mean something here, else "".
func known(word string, words ...string) string {
	for _, w := range words {
		if word == w {
			return w
		}
	}
	return ""
}
