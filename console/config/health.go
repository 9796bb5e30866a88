package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
	"plumb/probes/health"
)

// healthYAML is how a service's workload is asked itself: one of http, tcp, exec
// and prometheus, and how often and how patiently.
type healthYAML struct {
	HTTP       ref               `yaml:"http"`
	TCP        ref               `yaml:"tcp"`
	Exec       args              `yaml:"exec"`
	Prometheus *promYAML         `yaml:"prometheus"`
	Every      duration          `yaml:"every"`
	Timeout    duration          `yaml:"timeout"`
	Retry      duration          `yaml:"retry"`
	Attempts   int               `yaml:"attempts"`
	Recover    int               `yaml:"recover_after"`
	Status     oneOrMore         `yaml:"status"` // 200, or 200-299
	Body       string            `yaml:"body"`
	Follow     bool              `yaml:"follow"`
	Headers    map[string]string `yaml:"headers"`
	Credential ref               `yaml:"credential"`
	Header     string            `yaml:"header"`
	TLS        *healthTLSYAML    `yaml:"tls"`
	At         place
	keys       map[string]place
}

type promYAML struct {
	URL   ref    `yaml:"url"`
	Query string `yaml:"query"`
	At    place
}

type healthTLSYAML struct {
	CA         ref    `yaml:"ca"`
	ServerName string `yaml:"server_name"`
	Insecure   bool   `yaml:"insecure"`
	At         place
}

// fromYAML decodes as other mappings do, and notes where each key stands: what is
// wrong with one is said of its line.
func (y *healthYAML) fromYAML(d *decoder, n *yaml.Node, what string) {
	n = real(n)
	y.keys = map[string]place{}
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		y.keys[n.Content[i].Value] = d.at(n.Content[i])
	}
	d.mapping(n, reflect.ValueOf(y).Elem(), what)
}

// place is where a key stands, else where the whole does.
func (y *healthYAML) place(key string) place { return cmp.Or(y.keys[key], y.At) }

// health reads how a service's workload is asked; nil: it cannot be.
func (b *builder) health(y *healthYAML, service, dir string) *fleet.HealthSpec {
	what := "service " + quote(service) + ": health"
	h := &fleet.HealthSpec{
		Every: y.Every.Duration, Timeout: y.Timeout.Duration, Retry: y.Retry.Duration, Attempts: y.Attempts, RecoverAfter: y.Recover,
		Body: y.Body, Follow: y.Follow, Headers: y.Headers, Credential: y.Credential.name, Header: y.Header,
	}
	var kinds []fleet.HealthKind
	for _, k := range []struct {
		kind    fleet.HealthKind
		address string
		set     bool
	}{
		{fleet.HealthHTTP, y.HTTP.name, y.HTTP.name != ""}, {fleet.HealthTCP, y.TCP.name, y.TCP.name != ""},
		{fleet.HealthExec, "", len(y.Exec.list) > 0}, {fleet.HealthPrometheus, "", y.Prometheus != nil},
	} {
		if k.set {
			h.Kind, h.Address, kinds = k.kind, k.address, append(kinds, k.kind)
		}
	}
	if len(kinds) != 1 {
		b.errs.add(y.At, what, "wants one of http, tcp, exec and prometheus", `health: {http: "https://shop.example/healthz", every: 15s}`)
		return nil
	}
	switch h.Kind {
	case fleet.HealthExec:
		h.Command = y.Exec.list
		if err := b.env.LookPath(h.Command[0]); err != nil {
			b.errs.add(y.place("exec"), what+": exec", "no program "+quote(h.Command[0]), "give the program and its arguments as a list: no shell reads them")
			return nil
		}
	case fleet.HealthPrometheus:
		h.Address, h.Query = y.Prometheus.URL.name, y.Prometheus.Query
	}
	ok := b.healthStatus(y, h, what)
	if t := y.TLS; t != nil {
		h.ServerName, h.Insecure = t.ServerName, t.Insecure
		if t.CA.name != "" {
			text, err := b.env.ReadFile(inDir(dir, t.CA.name))
			if err != nil {
				b.errs.add(t.CA.at, what+": tls.ca", quote(t.CA.name)+": "+reason(err).Error(), "")
				return nil
			}
			h.CAs = string(text)
		}
	}
	var f *health.Fault
	if err := health.Check(h); errors.As(err, &f) {
		b.errs.add(y.place(f.Key), what+": "+f.Key, f.Why, "docs/health.md has every setting")
		return nil
	}
	if y.Credential.name != "" {
		b.after = append(b.after, func() {
			if _, ok := b.webCredential(y.Credential, what+": credential"); ok {
				b.clear(y.place(string(h.Kind)), what+": "+string(h.Kind), h.Address)
			}
		})
	}
	b.after = append(b.after, func() { b.healthPace(y, h, what) })
	if !ok {
		return nil
	}
	return h
}

// healthPace checks what was said against what is left to the polls, when those
// are known.
func (b *builder) healthPace(y *healthYAML, h *fleet.HealthSpec, what string) {
	full := h.Filled(b.file.Poll.Interval, b.file.Poll.Timeout)
	var f *health.Fault
	if err := health.Check(&full); errors.As(err, &f) {
		b.errs.add(y.place(f.Key), what+": "+f.Key, f.Why, "every is poll.interval where it is not said")
	}
}

// healthStatus reads codes and ranges of them: 200, 200-299.
func (b *builder) healthStatus(y *healthYAML, h *fleet.HealthSpec, what string) bool {
	for _, text := range y.Status {
		from, to, ranged := strings.Cut(text, "-")
		lo, err := strconv.Atoi(strings.TrimSpace(from))
		hi := lo
		if ranged && err == nil {
			hi, err = strconv.Atoi(strings.TrimSpace(to))
		}
		if err != nil {
			b.errs.add(y.place("status"), what+": status", fmt.Sprintf("%s is neither a code nor a range", quote(text)), "status: [200-299, 404]")
			return false
		}
		h.Statuses = append(h.Statuses, fleet.StatusRange{From: lo, To: hi})
	}
	return true
}
