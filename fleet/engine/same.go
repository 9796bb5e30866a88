package engine

import (
	"maps"
	"slices"

	"plumb/fleet"
)

// Rows of one key are compared field by field: to encode two thousand of them
// at each poll, only to see that they say the same again, would be most of what
// a step takes. What a function leaves out is not worth history: it is measured
// and has a series, or follows from the rest.

func equal[T comparable](a, b *T) bool { return *a == *b }

func sameOutlet(a, b *fleet.Outlet) bool {
	return a.Index == b.Index && a.Name == b.Name && a.State == b.State
}

func sameVLAN(a, b *fleet.VLAN) bool {
	return a.ID == b.ID && a.Name == b.Name && slices.Equal(a.Ports, b.Ports) && slices.Equal(a.Untagged, b.Untagged)
}

func sameGroup(a, b *fleet.SecurityGroup) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Project == b.Project && slices.Equal(a.Rules, b.Rules)
}

// sameHost leaves out what moves with every guest.
func sameHost(a, b *fleet.Host) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Zone == b.Zone && a.State == b.State && a.Status == b.Status && a.Type == b.Type &&
		a.Maintenance == b.Maintenance && slices.EqualFunc(a.Resources, b.Resources, func(x, y fleet.Resource) bool {
		x.Used, y.Used = 0, 0
		return x == y
	})
}

// sameInstance compares what a cloud told of an instance with what it tells. It
// leaves out the service, which follows from the inventory; told is the state
// that the cloud told of a, and b is of the cloud, whether it says so or not.
func sameInstance(a, b *fleet.Instance, told fleet.State, cloud string) bool {
	return told == b.State && a.RunState == b.RunState && a.Host == b.Host && a.ID == b.ID && a.Name == b.Name && a.Cloud == cloud &&
		a.Project == b.Project && a.Region == b.Region && a.Zone == b.Zone && a.Type == b.Type && a.PlacementGroup == b.PlacementGroup &&
		a.Image == b.Image && slices.Equal(a.SecurityGroups, b.SecurityGroups) && slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.Public, b.Public) &&
		a.ChangedBy == b.ChangedBy && a.ChangedAt.Equal(b.ChangedAt) && a.LaunchedAt.Equal(b.LaunchedAt) && maps.Equal(a.Tags, b.Tags)
}
