package runbook

import (
	"plumb/fleet"
	"plumb/fleet/security"
)

// hostOf is the hypervisor that a device is, as its cloud tells it now.
func (x facts) hostOf(id string) (*fleet.HostState, error) {
	n := x.Devices.Number(id)
	if n < 0 {
		return nil, notKnown("there is no device %s", fleet.Clean(id, 80))
	}
	i, is := x.HostOf[n]
	if !is {
		return nil, notKnown("%s is no hypervisor of a cloud that is watched", id)
	}
	h := x.Hosts.At(i)
	c := x.Clouds.Get(h.Cloud)
	if c == nil || !c.BlindSince.IsZero() || !x.young(c.Tables[fleet.TableHosts].At, c.Tables[fleet.TableHosts].Lane) {
		return nil, notKnown("what cloud %s says of %s: it is not seen now", h.Cloud, id)
	}
	return h, nil
}

func (x facts) hypervisor(id string) (bool, error) {
	n := x.Devices.Number(id)
	if n < 0 {
		return false, notKnown("there is no device %s", fleet.Clean(id, 80))
	}
	_, is := x.HostOf[n]
	return is, nil
}

func (x facts) hostIs(id string) (string, error) {
	h, err := x.hostOf(id)
	switch {
	case err != nil:
		return "", err
	case h.Host.State != "up" && h.Host.State != "down":
		return "", notKnown("whether hypervisor %s is up", id)
	}
	return h.Host.State, nil
}

func (x facts) compute(id string) (computeView, error) {
	h, err := x.hostOf(id)
	switch {
	case err != nil:
		return computeView{}, err
	case h.Status == "":
		return computeView{}, notKnown("whether hypervisor %s is enabled", id)
	}
	return computeView{h.Host.State, h.Status, h.Maintenance}, nil
}

// guests lists the instances on a device that their cloud calls ACTIVE. A
// device that is no hypervisor has none; one whose cloud is not seen may have
// any.
func (x facts) guests(id string) ([]string, error) {
	n := x.Devices.Number(id)
	if n < 0 {
		return nil, notKnown("there is no device %s", fleet.Clean(id, 80))
	}
	out := []string{}
	if _, is := x.HostOf[n]; !is {
		return out, nil
	}
	if _, err := x.hostOf(id); err != nil {
		return nil, err
	}
	for guest, i := range x.Instances.All() {
		if i.Device == n && i.RunState == "ACTIVE" {
			out = append(out, guest)
		}
	}
	return out, nil
}

func (x facts) instance(id string) (instanceView, error) {
	i := x.Instances.Get(id)
	if i == nil {
		return instanceView{}, notKnown("there is no instance %s", fleet.Clean(id, 80))
	}
	c := x.Clouds.Get(i.Cloud)
	if c == nil || !c.BlindSince.IsZero() || !x.young(c.Tables[fleet.TableInstances].At, c.Tables[fleet.TableInstances].Lane) {
		return instanceView{}, notKnown("instance %s: its cloud is not seen now", id)
	}
	return instanceView{i.RunState, i.Host, i.Service}, nil
}

func (x facts) service(name string) (serviceView, error) {
	v := x.Services.Get(name)
	if v == nil {
		return serviceView{}, notKnown("there is no service %s", fleet.Clean(name, 80))
	}
	return serviceView{v.State.String(), v.Replicas, v.Spec.Floor}, nil
}

func (x facts) factory(id string) ([]string, error) {
	d, err := x.device(id)
	if err != nil {
		return nil, err
	}
	slots, known := security.Factory(d)
	if !known {
		return nil, notKnown("the users of %s", id)
	}
	return slots, nil
}
