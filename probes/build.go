package probes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"plumb/fleet"
	"plumb/probes/cloud"
	"plumb/probes/health"
	"plumb/probes/ipmi"
	"plumb/probes/snmp"
)

// Credential is what one name in the configuration stands for. Passwords are
// fetched when a session is opened and never kept here.
type Credential struct {
	Username string
	Password func(context.Context) (string, error)

	// SNMP
	Version      string
	Community    func(context.Context) (string, error)
	Auth, Priv   string
	AuthPassword func(context.Context) (string, error)
	PrivPassword func(context.Context) (string, error)
	Context      string

	// IPMI
	Cipher int

	// Clouds
	Project, UserDomain, ProjectDomain string

	// Revision changes when the secret behind it may have: a held target is
	// tried again.
	Revision string
}

// Targets makes the targets of an inventory. A name that no credential stands
// for, or settings that make no sense, show as an observation of that target,
// so that one bad line hides one device and not the fleet.
func Targets(inv *fleet.Inventory, credential func(name string) (Credential, bool), cfg Config) []Target {
	var out []Target
	for i := range inv.Devices {
		d := &inv.Devices[i]
		for _, e := range d.Endpoints {
			out = append(out, target(d.ID, e, "", nil, credential, cfg))
		}
	}
	for i := range inv.Clouds {
		c := &inv.Clouds[i]
		out = append(out, target(c.Name, c.Endpoint, c.Region, c.Options, credential, cfg))
	}
	for i := range inv.Services {
		if s := &inv.Services[i]; s.Health != nil {
			out = append(out, workload(s.Name, s.Health, credential, cfg))
		}
	}
	return out
}

// workload is the target of a service whose workload is asked itself.
func workload(id string, h *fleet.HealthSpec, credential func(string) (Credential, bool), cfg Config) Target {
	spec := h.Filled(cfg.Interval, cfg.Timeout)
	read, ok := Credential{}, true
	if spec.Credential != "" {
		read, ok = credential(spec.Credential)
	}
	build := func() (fleet.Probe, error) {
		if !ok {
			return nil, fmt.Errorf("credential %q is not in the configuration", spec.Credential)
		}
		return asProbe(health.New(health.Config{Target: id, HealthSpec: spec, Username: read.Username, Password: read.Password}))
	}
	return Target{ID: id, Source: fleet.SourceHealth, Key: fingerprint(spec, read), Build: build,
		Pace: &Pace{Every: spec.Every, Timeout: spec.Timeout, Retry: spec.Retry, Attempts: spec.Attempts}}
}

func target(id string, e fleet.Endpoint, region string, options map[string]string, credential func(string) (Credential, bool), cfg Config) Target {
	read, ok := credential(e.Credential)
	act, actOK := read, ok
	if e.ActCredential != "" {
		act, actOK = credential(e.ActCredential)
	}
	build := func() (fleet.Probe, error) {
		if !ok {
			return nil, fmt.Errorf("credential %q is not in the configuration", e.Credential)
		}
		if !actOK {
			return nil, fmt.Errorf("credential %q is not in the configuration", e.ActCredential)
		}
		return build(id, e, region, options, read, act, cfg.Timeout)
	}
	return Target{ID: id, Source: e.Source, Key: fingerprint(e, region, options, read, act, cfg), Build: build}
}

// fingerprint changes with anything the probe is built from. It holds no
// secret, only the revision of one.
func fingerprint(v ...any) string {
	h := sha256.New()
	for _, x := range v {
		switch x := x.(type) {
		case Credential:
			fmt.Fprintf(h, "%q %q %q %q %q %d %q %q %q %q|", x.Username, x.Version, x.Auth, x.Priv, x.Context, x.Cipher, x.Project, x.UserDomain, x.ProjectDomain, x.Revision)
		default:
			fmt.Fprintf(h, "%#v|", x)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func build(id string, e fleet.Endpoint, region string, options map[string]string, read, act Credential, timeout time.Duration) (fleet.Probe, error) {
	switch e.Source {
	case fleet.SourceIPMI:
		c := ipmi.Config{Target: id, Address: e.Address, Username: read.Username, Password: read.Password, Cipher: read.Cipher, Quirks: e.Quirks, Timeout: timeout / 2}
		if e.ActCredential != "" {
			c.ActUsername, c.ActPassword = act.Username, act.Password
		}
		return asProbe(ipmi.New(c))
	case fleet.SourceSNMP:
		c := snmp.Config{
			Target: id, Address: e.Address, Version: read.Version, Community: read.Community, User: read.Username, Auth: read.Auth, AuthPassword: read.AuthPassword,
			Priv: read.Priv, PrivPassword: read.PrivPassword, Context: read.Context, Quirks: e.Quirks, Timeout: timeout / 2,
		}
		if e.ActCredential != "" {
			c.Act = &snmp.Access{
				Version: act.Version, Community: act.Community, User: act.Username, Auth: act.Auth, AuthPassword: act.AuthPassword,
				Priv: act.Priv, PrivPassword: act.PrivPassword, Context: act.Context,
			}
		}
		return asProbe(snmp.New(c))
	case fleet.SourceOpenStack:
		return asProbe(cloud.New(cloud.Config{
			Target: id, Region: region, AuthURL: e.Address, Username: read.Username, Password: read.Password,
			ProjectName: read.Project, UserDomain: read.UserDomain, ProjectDomain: read.ProjectDomain,
		}))
	}
	return nil, fmt.Errorf("nothing here speaks %s", e.Source)
}

// asProbe keeps a nil *T from becoming a probe that is not nil.
func asProbe[T fleet.Probe](p T, err error) (fleet.Probe, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}
