package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"plumb/console/config"
	"plumb/fleet"
	"plumb/probes/cloud"
	"plumb/probes/ipmi"
	"plumb/probes/snmp"
)

// probeCmd looks at one target once. Credentials come as each ecosystem is
// used to, and never as a password on the command line where a file will do.
type probeCmd struct {
	Snmp      snmpProbe      `cmd:"" help:"An SNMP agent: switch, router, PDU, UPS, server."`
	Ipmi      ipmiProbe      `cmd:"" help:"A BMC over IPMI 2.0."`
	Health    healthProbe    `cmd:"" help:"The workload of a service, as a configuration says. Exits 0 well, 1 warn or not asked, 2 crit, 3 it does not know."`
	Openstack openstackProbe `cmd:"" help:"An OpenStack region; ADDRESS is the Keystone URL, the rest comes from OS_*."`
}

type probeFlags struct {
	Address string        `arg:"" help:"host, host:port or URL."`
	JSON    bool          `name:"json" help:"The observation as JSON."`
	Timeout time.Duration `default:"30s" help:"Give up after this long."`
}

type snmpProbe struct {
	probeFlags
	Version          string   `default:"2c" enum:"2c,3" help:"2c or 3."`
	Community        string   `help:"Community (2c); better: --community-file."`
	CommunityFile    string   `type:"existingfile" help:"File with the community."`
	User             string   `help:"User name (3)."`
	Auth             string   `help:"MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512."`
	AuthPasswordFile string   `type:"existingfile" help:"File with the authentication password."`
	Priv             string   `help:"DES AES AES-192 AES-256 AES-192-C AES-256-C."`
	PrivPasswordFile string   `type:"existingfile" help:"File with the privacy password."`
	Context          string   `help:"Context name (3)."`
	Quirks           []string `help:"Workarounds by name."`
}

func (p snmpProbe) Run(ctx context.Context, s *streams) error {
	// A try is short enough for all of them to fit before we give up: silence
	// is then known as silence.
	c := snmp.Config{Timeout: min(2*time.Second, p.Timeout/8), Target: p.Address, Address: p.Address, Version: p.Version, User: p.User, Auth: p.Auth, Priv: p.Priv, Context: p.Context, Quirks: p.Quirks,
		AuthPassword: secretFile(p.AuthPasswordFile), PrivPassword: secretFile(p.PrivPasswordFile), Community: secretFile(p.CommunityFile)}
	if p.Community != "" {
		c.Community = func(context.Context) (string, error) { return p.Community, nil }
	}
	agent, err := snmp.New(c)
	if err != nil {
		return usage(fmt.Errorf("probe %w", err), "plumb probe snmp --help")
	}
	return look(ctx, s, agent, p.probeFlags)
}

type ipmiProbe struct {
	probeFlags
	Username     string   `required:"" help:"User name."`
	PasswordFile string   `required:"" type:"existingfile" help:"File with the password."`
	Cipher       int      `help:"Cipher suite; 0 tries 17, then 3."`
	Quirks       []string `help:"Workarounds by name."`
}

func (p ipmiProbe) Run(ctx context.Context, s *streams) error {
	bmc, err := ipmi.New(ipmi.Config{Target: p.Address, Address: p.Address, Username: p.Username, Password: secretFile(p.PasswordFile), Cipher: p.Cipher, Quirks: p.Quirks})
	if err != nil {
		return usage(fmt.Errorf("probe ipmi: %w", err), "plumb probe ipmi --help")
	}
	return look(ctx, s, bmc, p.probeFlags)
}

// healthProbe asks the workload of a service that a configuration names: it has
// the credentials.
type healthProbe struct {
	Service string        `arg:"" help:"name of a service with health."`
	Config  string        `required:"" type:"path" help:"plumb.yaml."`
	JSON    bool          `name:"json" help:"The observation as JSON."`
	Timeout time.Duration `default:"1m" help:"Give up after this long."`
}

func (p healthProbe) Run(ctx context.Context, s *streams) error {
	f, err := config.Load(ctx, p.Config)
	if err != nil {
		return unsound(err)
	}
	var asked []string
	for _, t := range fromFile(f, logger(io.Discard)).targets {
		if t.Source != fleet.SourceHealth {
			continue
		}
		if asked = append(asked, t.ID); t.ID != p.Service {
			continue
		}
		probe, err := t.Build()
		if err != nil {
			return usage(fmt.Errorf("probe health: %w", err), "%s", "plumb check --config "+p.Config)
		}
		return look(ctx, s, probe, probeFlags{Address: p.Service, JSON: p.JSON, Timeout: p.Timeout})
	}
	hint := "no service there has health: docs/health.md"
	if len(asked) > 0 {
		hint = "services with health: " + strings.Join(asked, " ")
	}
	return usage(fmt.Errorf("probe health: no service %q with health", fleet.Clean(p.Service, 80)), "%s", hint)
}

// openrc is where an OpenStack probe's credentials come from.
const openrc = "source the project's openrc file first: OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_REGION_NAME"

type openstackProbe struct{ probeFlags }

func (p openstackProbe) Run(ctx context.Context, s *streams) error {
	c, err := cloud.FromEnv(func(k string) string {
		if k == "OS_AUTH_URL" {
			return p.Address
		}
		return os.Getenv(k)
	})
	if err != nil {
		return usage(fmt.Errorf("probe openstack: %w", err), openrc)
	}
	c.Target = p.Address
	o, err := cloud.New(c)
	if err != nil {
		return usage(fmt.Errorf("probe %w", err), openrc)
	}
	return look(ctx, s, o, p.probeFlags)
}

// secretFile reads a secret when it is asked for, without the line's end.
func secretFile(path string) func(context.Context) (string, error) {
	if path == "" {
		return nil
	}
	return func(context.Context) (string, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if len(b) > 4096 {
			return "", fmt.Errorf("%s: longer than a password is", path)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
}

// hints say what to try, by the kind of failure.
var hints = map[string]string{
	"unreachable": "is the address right, and is its port open from here?",
	"timeout":     "it did not answer everything in time; try --timeout 2m",
	"auth":        "it answers and refuses these credentials; nothing was tried twice",
	"busy":        "it has no session free; wait a minute",
	"unsupported": "it answers and cannot do this",
	"protocol":    "it answers what the standard does not allow; --quirks may help",
}

// wordOf is what a workload said as an exit code, as of a monitoring plugin: nil well,
// 1 warn, 2 crit, 3 it does not know. What is no workload says nothing.
func wordOf(o *fleet.Observation) error {
	state, _, ok := o.Word()
	switch {
	case o.Source != fleet.SourceHealth || !ok || state == fleet.StateOK:
		return nil
	case state == fleet.StateWarn:
		return coded(1)
	case state == fleet.StateCrit:
		return coded(2)
	}
	return coded(3)
}

// look observes once and prints. It exits 1 when nothing could be read, else with
// what a workload said.
func look(ctx context.Context, s *streams, p fleet.Probe, f probeFlags) error {
	defer p.Close()
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	o, err := p.Observe(ctx, fleet.LaneSlow)
	if err != nil {
		return hint(fmt.Errorf("probe %s: %w", f.Address, err), "")
	}
	switch {
	case f.JSON:
		if err := printObservation(s, o); err != nil {
			return err
		}
	case o.Err == nil || len(o.Facts) > 0:
		summarise(s, o)
	}
	if o.Err == nil {
		return wordOf(o)
	}
	if f.JSON {
		return coded(1)
	}
	return hint(o.Err, "%s", hints[o.Err.Kind()])
}

// printObservation writes the contract's object: the observation with schema
// and took_s, and empty lists rather than null for tables that were read.
func printObservation(s *streams, o *fleet.Observation) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	delete(m, "took_ns")
	delete(m, "lane")
	delete(m, "origin")
	m["schema"] = json.RawMessage("1")
	m["took_s"] = json.RawMessage(fleet.Dec(o.Took.Milliseconds(), -3).String())
	for t := range fleet.TableID(fleet.NumTables) {
		if raw, ok := m[t.String()]; ok && string(raw) == "null" {
			m[t.String()] = json.RawMessage("[]")
		}
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(m)
}

// summarise prints an observation for eyes.
func summarise(s *streams, o *fleet.Observation) {
	fmt.Fprintf(s.out, "%s over %s in %s\n", o.Target, o.Source, o.Took.Round(time.Millisecond))
	for _, f := range o.Facts {
		fmt.Fprintf(s.out, "  %-20s %s\n", f.Name, f.Value)
	}
	for t := range fleet.TableID(fleet.NumTables) {
		if c := o.Tables[t]; c != fleet.NotAsked && t != fleet.TableFacts {
			fmt.Fprintf(s.out, "%-10s %-9s %d\n", t, c, rowsOf(o, t))
		}
	}
	for _, x := range o.Sensors {
		value := x.Value.String()
		if !x.Value.Known {
			value = x.Text
		}
		fmt.Fprintf(s.out, "  %-24s %12s %-4s %s\n", x.Name, value, x.Unit, x.State)
	}
}

func rowsOf(o *fleet.Observation, t fleet.TableID) int {
	return [...]int{len(o.Facts), len(o.Ports), len(o.Sensors), len(o.Entities), len(o.Neighbors), len(o.FDB), len(o.VLANs), len(o.Outlets), len(o.Events), len(o.Instances), len(o.Hosts), 0, 0, 0, 0, 0, len(o.ARP), len(o.SecurityGroups)}[t]
}
