package fleet

import (
	"cmp"
	"strings"
	"time"
)

// HealthKind says how a service's workload is asked itself.
type HealthKind string

// The ways to ask a workload.
const (
	HealthHTTP       HealthKind = "http"       // GET of a page
	HealthTCP        HealthKind = "tcp"        // a connection is taken
	HealthExec       HealthKind = "exec"       // a program whose exit code tells, as monitoring plugins do
	HealthPrometheus HealthKind = "prometheus" // an instant query
)

// Defaults of a HealthSpec.
const (
	DefaultHealthAttempts     = 3
	DefaultHealthRecoverAfter = 1
)

// HealthSpec is how a service's workload is asked. It holds no secret: it names
// the credential that does.
type HealthSpec struct {
	Kind    HealthKind
	Address string   // URL, host:port, or the URL of Prometheus
	Command []string // the program with its arguments; no shell reads them
	Query   string   // PromQL
	Every   time.Duration
	Timeout time.Duration
	// Retry is when a bad look is followed by the next, until Attempts of them
	// in a row make it hard. RecoverAfter good looks in a row end it.
	Retry                  time.Duration
	Attempts, RecoverAfter int

	Statuses   []StatusRange     // of HTTP; nil: 200-299
	Body       string            // the answer has to hold it; "": any does
	Follow     bool              // redirects to the same host are followed
	Headers    map[string]string // in clear
	Credential string            // username and password: Basic; a password alone: a bearer token, or what Header carries
	Header     string            // carries the credential's password instead of Authorization

	CAs        string // PEM of who vouches for the server; "": whom the system trusts
	ServerName string // in its certificate, where it is not the address's
	Insecure   bool   // whoever answers is believed
}

// Filled is the spec with what nobody said: the beat of the polls, at most half of
// it for a look, a third of it before a bad look is looked at again, and the usual number of looks.
func (h *HealthSpec) Filled(every, timeout time.Duration) HealthSpec {
	x := *h
	x.Every = cmp.Or(x.Every, every)
	x.Timeout = cmp.Or(x.Timeout, min(timeout, x.Every/2))
	x.Retry = cmp.Or(x.Retry, min(max(x.Every/3, time.Second), x.Every))
	x.Attempts = cmp.Or(x.Attempts, DefaultHealthAttempts)
	x.RecoverAfter = cmp.Or(x.RecoverAfter, DefaultHealthRecoverAfter)
	return x
}

// StatusRange is a range of HTTP status codes, both ends in it.
type StatusRange struct{ From, To int }

// Asks says in a few words what is asked, without what may be secret: neither
// the query of a URL nor the arguments of a program.
func (h *HealthSpec) Asks() string {
	switch h.Kind {
	case HealthExec:
		if len(h.Command) == 0 {
			return string(h.Kind)
		}
		return string(h.Kind) + " " + h.Command[0][strings.LastIndexByte(h.Command[0], '/')+1:]
	case HealthTCP:
		return string(h.Kind) + " " + h.Address
	case HealthPrometheus:
		return string(h.Kind) + " " + plainURL(h.Address)
	}
	return plainURL(h.Address)
}

// plainURL leaves out of a URL what may be a token.
func plainURL(u string) string {
	if i := strings.IndexAny(u, "?#"); i >= 0 {
		u = u[:i]
	}
	return u
}

// Sensors of an observation of a service: what its workload says, and how long
// it took to say it.
const (
	SensorHealth  = "health"
	SensorLatency = "latency"
)

// Facts of an observation of a service.
const (
	FactAsked      = "health.asked"  // what was asked
	FactTLSExpires = "tls.not_after" // the end of the certificate it showed, RFC 3339
)

// Word is what a workload said in one look. ok is false where it could not be
// asked at all: that says nothing about it.
func (o *Observation) Word() (state State, text string, ok bool) {
	if c := o.Tables[TableSensors]; c != Complete && c != Partial {
		return StateUnknown, "", false
	}
	for i := range o.Sensors {
		if x := &o.Sensors[i]; x.SensorDef != nil && x.Key == SensorHealth {
			return x.State, x.Text, true
		}
	}
	return StateUnknown, "", false
}

// Health is what a service's workload says, with its age. It is shared between
// snapshots and never written.
type Health struct {
	State State     // what counts: hard, and unknown where nobody could ask for too long
	Text  string    // the words of the last look
	Since time.Time // when State began
	// Said is the state of the last look, and SaidAt when that was; zero: it was
	// never asked, or never could be.
	Said   State
	SaidAt time.Time
	Bad    int // looks since the last good one that were bad
	Unsure int // looks since then that did not know, of a bad one in a row
	Good   int // looks in a row that were well
	// Hard is what the last looks in a row made of it, without regard to age.
	Hard State
	// Ailing: it was bad, and there were not enough good looks since to end that.
	Ailing bool
	// Unheard: the last look got no word at all out of it. That is its own
	// trouble, or the way's.
	Unheard    bool
	BlindSince time.Time // since when it could not even be asked; zero: it was, at the last look
	Err        *ProbeError
	LatencyMs  Num
	Facts      Facts
	KeptAt     time.Time // when a row of it was last written
}

// Known reports whether the workload was heard in time, and knew.
func (h *Health) Known() bool { return h != nil && h.State != StateUnknown }

// Soft reports whether the last look was not well and does not count yet.
func (h *Health) Soft() bool {
	return h != nil && h.Said != StateOK && h.Bad+h.Unsure > 0 && h.Hard != h.Said
}

// Words is what it says, for people: the words of the last look, or that nobody
// could ask.
func (h *Health) Words() string {
	switch {
	case h == nil:
		return "not asked yet"
	case h.Text != "":
		return h.Text
	case h.Err != nil:
		return "cannot be asked: " + h.Err.Kind()
	}
	return "not asked yet"
}
