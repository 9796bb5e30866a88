package config

import (
	"fmt"
	"iter"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/terraform"
)

// isName checks that something has a name that can be part of an id.
func (b *builder) isName(r ref, at place, what string) bool {
	switch {
	case r.name == "":
		b.errs.add(at, what, "has no name", "")
		return false
	case strings.ContainsAny(r.name, "/ \t") || len(r.name) > 128:
		b.errs.add(r.at, what+" "+quote(r.name), "a name has no spaces and no slash, and at most 128 bytes", "")
		return false
	}
	return true
}

// claim gives an id to something; ids are unique over the fleet.
func (b *builder) claim(r ref, is string, n int) bool {
	if first, ok := b.ids[r.name]; ok {
		b.errs.add(r.at, is+" "+quote(r.name), fmt.Sprintf("there is a %s of that name already, at %s", first.is, first.at), "ids are unique over the fleet: rename one, or give it an id of its own")
		return false
	}
	b.ids[r.name] = named{is, r.at, n}
	return true
}

// kinds yields the ids of things of the given kinds.
func (b *builder) kinds(is ...string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for id, x := range b.ids {
			if slices.Contains(is, x.is) && !yield(id) {
				return
			}
		}
	}
}

// orDid appends the closest name to a sentence, where there is one.
func (b *builder) orDid(written string, valid iter.Seq[string]) string {
	if b.errs.full() {
		return ""
	}
	if name := closest(written, valid); name != "" {
		return ": did you mean `" + name + "`?"
	}
	return ""
}

func (b *builder) region(y *regionYAML) {
	if !b.isName(y.Name, y.At, "region") {
		return
	}
	if first, ok := b.regions[y.Name.name]; ok {
		b.errs.add(y.Name.at, "region "+quote(y.Name.name), "stands twice, first at "+first.String(), "")
		return
	}
	b.regions[y.Name.name] = y.Name.at
	inv := b.file.Inventory
	inv.Regions = append(inv.Regions, fleet.RegionSpec{Name: y.Name.name})
	for i := range y.Sites {
		b.site(&y.Sites[i], y.Name.name)
	}
}

func (b *builder) site(y *siteYAML, region string) {
	if !b.isName(y.Name, y.At, "site") {
		return
	}
	if first, ok := b.sites[y.Name.name]; ok {
		b.errs.add(y.Name.at, "site "+quote(y.Name.name), "stands twice, first at "+first.String(), "")
		return
	}
	b.sites[y.Name.name] = y.Name.at
	inv := b.file.Inventory
	inv.Sites = append(inv.Sites, fleet.SiteSpec{Name: y.Name.name, Region: region})
	for i := range y.Feeds {
		b.feed(&y.Feeds[i], y.Name.name)
	}
	where := fleet.DeviceSpec{Site: y.Name.name, Region: region}
	for i := range y.Devices {
		b.device(&y.Devices[i], where)
	}
	racks := make(map[string]place)
	for i := range y.Racks {
		b.rack(&y.Racks[i], where, racks)
	}
}

func (b *builder) feed(y *feedYAML, site string) {
	inv := b.file.Inventory
	if !b.isName(y.Name, y.At, "feed") || !b.claim(y.Name, "feed", len(inv.Feeds)) {
		return
	}
	what := "feed " + quote(y.Name.name)
	if y.Phases != 0 && y.Phases != 1 && y.Phases != 3 {
		b.errs.add(y.At, what, fmt.Sprintf("%d phases: power has 1 or 3", y.Phases), "")
	}
	inv.Feeds = append(inv.Feeds, fleet.FeedSpec{
		Name: y.Name.name, Site: site, Parent: y.Parent.name, BreakerA: y.BreakerA.Num, Volts: y.Volts, Phases: y.Phases,
	})
	if y.Parent.name == "" {
		return
	}
	b.after = append(b.after, func() {
		switch parent, ok := b.ids[y.Parent.name]; {
		case !ok || parent.is != "feed" && parent.is != "device":
			b.errs.add(y.Parent.at, what, "there is no feed or UPS "+quote(y.Parent.name)+b.orDid(y.Parent.name, b.kinds("feed", "device")), "")
		case parent.is == "device" && inv.Devices[parent.n].Kind != fleet.KindUPS:
			b.errs.add(y.Parent.at, what, "its parent "+quote(y.Parent.name)+" is a "+string(inv.Devices[parent.n].Kind)+", not a UPS", "")
		case b.circular(y.Name.name):
			b.errs.add(y.Parent.at, what, "its parents lead back to itself", "")
		}
	})
}

// circular reports whether the way up from a feed never ends.
func (b *builder) circular(name string) bool {
	inv := b.file.Inventory
	for range len(b.ids) + 1 {
		x, ok := b.ids[name]
		switch {
		case ok && x.is == "feed":
			name = inv.Feeds[x.n].Parent
		case ok && x.is == "device":
			name = inv.Devices[x.n].Feed
		default:
			return false
		}
		if name == "" {
			return false
		}
	}
	return true
}

// feedRef checks that a feed is there.
func (b *builder) feedRef(r ref, what string) {
	b.after = append(b.after, func() {
		if x, ok := b.ids[r.name]; !ok || x.is != "feed" {
			b.errs.add(r.at, what, "there is no feed "+quote(r.name)+b.orDid(r.name, b.kinds("feed")), "")
		}
	})
}

// Bounds of a rack.
const (
	defaultUnits = 42
	maxUnits     = 100
)

func (b *builder) rack(y *rackYAML, where fleet.DeviceSpec, seen map[string]place) {
	if !b.isName(y.Name, y.At, "rack") {
		return
	}
	id := where.Site + "/" + y.Name.name
	what := "rack " + quote(id)
	if first, ok := seen[id]; ok {
		b.errs.add(y.Name.at, what, "stands twice, first at "+first.String(), "")
		return
	}
	seen[id] = y.Name.at
	r := fleet.RackSpec{
		ID: id, Name: y.Name.name, Site: where.Site, Region: where.Region, Row: y.Row, Units: y.Units, MaxWeightKg: y.MaxWeightKg.Num,
	}
	if r.Units == 0 {
		r.Units = defaultUnits
	}
	if r.Units > maxUnits {
		b.errs.add(y.At, what, fmt.Sprintf("%d units: a rack has at most %d", r.Units, maxUnits), "")
		return
	}
	for _, f := range y.Feeds {
		r.Feeds = append(r.Feeds, f.name)
		b.feedRef(f, what)
	}
	b.file.Inventory.Racks = append(b.file.Inventory.Racks, r)
	where.Rack = id
	slots := newElevation(r.Units)
	for i := range y.Devices {
		d := &y.Devices[i]
		if n, ok := b.device(d, where); ok {
			b.mount(&b.file.Inventory.Devices[n], d, slots)
		}
	}
}

func (b *builder) cloud(y *cloudYAML, dir string) {
	inv := b.file.Inventory
	if !b.isName(y.Name, y.At, "cloud") || !b.claim(y.Name, "cloud", len(inv.Clouds)) {
		return
	}
	what := "cloud " + quote(y.Name.name)
	providers := []string{string(fleet.SourceEC2), string(fleet.SourceHetzner), string(fleet.SourceOpenStack), string(fleet.SourceVSphere)}
	if y.Provider.name == "" {
		b.errs.add(y.At, what, "has no provider", "provider is one of "+strings.Join(providers, " "))
	}
	b.oneOf(y.Provider, what+": provider", providers)
	if u, err := url.Parse(y.Endpoint.name); y.Endpoint.name != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		b.errs.add(y.Endpoint.at, what, "endpoint "+quote(y.Endpoint.name)+" is not a URL like https://cloud.example:5000/v3", "")
	} else if err == nil && u.User != nil {
		b.errs.add(y.Endpoint.at, what, "the endpoint holds a user or a password", "use a credential")
	}
	b.credentialRef(y.Credential, y.At, what)
	b.clear(y.Endpoint.at, what+": endpoint", y.Endpoint.name)
	inv.Clouds = append(inv.Clouds, fleet.CloudSpec{
		Name: y.Name.name, Region: y.Region, Options: y.Options,
		Endpoint: fleet.Endpoint{Source: fleet.Source(y.Provider.name), Address: y.Endpoint.name, Credential: y.Credential.name},
		Declared: b.declared(y.Terraform, what, dir),
	})
}

// declared reads the states that say what a cloud should hold.
func (b *builder) declared(y *terraformYAML, what, dir string) *fleet.Declared {
	if y == nil {
		return nil
	}
	what += ": terraform"
	b.oneOf(y.Covers, what+": covers", []string{"all", "part"})
	if len(y.State) == 0 {
		b.errs.add(y.At, what, "names no state", "make one by terraform show -json > prod.json, and say state: [prod.json]")
	}
	all := &fleet.Declared{Whole: y.Covers.name != "part"}
	var names []string
	for _, r := range y.State {
		text, err := b.env.ReadFile(inDir(dir, r.name))
		if err != nil {
			b.errs.add(r.at, what, "state "+quote(r.name)+": "+reason(err).Error(), "")
			continue
		}
		one, err := terraform.Parse(text)
		if err != nil {
			b.errs.add(r.at, what, "state "+quote(r.name)+": "+err.Error(), "it is what terraform show -json prints, not the .tfstate file")
			continue
		}
		names = append(names, filepath.Base(r.name))
		all.Instances, all.Groups = append(all.Instances, one.Instances...), append(all.Groups, one.Groups...)
	}
	all.Source = "terraform " + strings.Join(names, " ")
	return all
}

// credentialRef checks that a credential is there, now or by the end.
func (b *builder) credentialRef(r ref, at place, what string) {
	if r.name == "" {
		b.errs.add(at, what, "has no credential", "")
		return
	}
	if _, ok := b.credentials[r.name]; ok {
		return
	}
	b.after = append(b.after, func() {
		if _, ok := b.credentials[r.name]; !ok {
			b.errs.add(r.at, what, "there is no credential "+quote(r.name)+b.orDid(r.name, maps.Keys(b.credentials)), "")
		}
	})
}

func (b *builder) service(y *serviceYAML, dir string) {
	inv := b.file.Inventory
	if !b.isName(y.Name, y.At, "service") || !b.claim(y.Name, "service", len(inv.Services)) {
		return
	}
	what := "service " + quote(y.Name.name)
	s := fleet.ServiceSpec{Name: y.Name.name, Owner: y.Owner, Floor: y.Floor}
	if y.Select != nil {
		s.Select = y.Select.Tag
	}
	if len(s.Select) == 0 {
		b.errs.add(y.At, what, "selects nothing", "add select: {tag: {service: "+fleet.Clean(s.Name, 60)+"}}")
	}
	if y.Health != nil {
		s.Health = b.health(y.Health, s.Name, dir)
	}
	inv.Services = append(inv.Services, s)
}

// macAddress writes a MAC in lower case with colons.
func (b *builder) macAddress(r ref, what string) string {
	if r.name == "" {
		return ""
	}
	m, err := net.ParseMAC(r.name)
	if err != nil || len(m) != 6 {
		b.errs.add(r.at, what, quote(r.name)+" is not a MAC address like 52:54:00:00:00:01", "")
		return ""
	}
	return m.String()
}

// splitPort splits "device/rest" at the first slash.
func splitPort(s string) (device, rest string, ok bool) {
	device, rest, ok = strings.Cut(s, "/")
	return device, rest, ok && device != "" && rest != ""
}

// outletNumber parses "pdu/3".
func outletNumber(s string) (pdu string, n int, ok bool) {
	pdu, number, ok := splitPort(s)
	n, err := strconv.Atoi(number)
	return pdu, n, ok && err == nil && n > 0
}
