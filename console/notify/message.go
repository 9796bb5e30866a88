package notify

import (
	"encoding/json"
	"strings"
	"time"

	"plumb/fleet"
)

// Message is one thing that a receiver is told.
type Message struct {
	Key   string // the receiver knows it by this when it comes twice
	What  string // alerts, test or heartbeat
	At    time.Time
	Pages fleet.Pages
	// Subject and Text are what people read.
	Subject, Text string
	// Every is the time to the next one of a heartbeat.
	Every time.Duration
}

// What a message may be.
const (
	WhatAlerts    = "alerts"
	WhatTest      = "test"
	WhatHeartbeat = "heartbeat"
)

// Body is a message as webhooks and programs get it. It is documented: what is
// in it stays, and more may come.
type Body struct {
	Schema   int               `json:"schema"`
	What     string            `json:"what"`
	Key      string            `json:"key"`
	At       time.Time         `json:"at"`
	Receiver string            `json:"receiver"`
	Group    string            `json:"group"`
	Status   string            `json:"status"`
	Severity fleet.Severity    `json:"severity"`
	Subject  string            `json:"subject"`
	Labels   map[string]string `json:"labels"`
	Alerts   []fleet.Page      `json:"alerts"`
	More     int               `json:"more"`
}

func (m *Message) body() []byte {
	b, _ := json.Marshal(Body{1, m.What, m.Key, m.At.UTC(), m.Pages.Receiver, m.Pages.Group, m.Pages.Status, m.severity(), m.Subject, m.Pages.Labels, m.Pages.Alerts, m.Pages.More}) // our own nouns encode
	return b
}

// severity is that of the worst alert that is told of.
func (m *Message) severity() fleet.Severity { return worst(m.Pages.Alerts) }

func worst(list []fleet.Page) (s fleet.Severity) {
	for i := range list {
		s = max(s, list[i].Severity)
	}
	return s
}

// resolved reports whether everything in it is over.
func (m *Message) resolved() bool { return m.Pages.Status == "resolved" }

// messageOf reads a notice.
func messageOf(n *fleet.Notice) (*Message, error) {
	m := &Message{Key: n.Key, What: WhatAlerts, At: n.At}
	if err := json.Unmarshal(n.Body, &m.Pages); err != nil {
		return nil, refusal(Final, "the notice cannot be read: "+err.Error())
	}
	return m, nil
}

// sample is a made-up page: templates are tried on it, and tests show it.
func sample(receiver string, at time.Time) fleet.Pages {
	labels := map[string]string{"rule": "cause", "severity": "crit", "target": "ams1-A", "part": "psu1", "kind": "feed", "rack": "ams1/r01", "site": "ams1", "region": "ams",
		"owner": "team", "tenant": "acme", "env": "prod", "service": "match", "cloud": "aws", "receiver": receiver}
	return fleet.Pages{Receiver: receiver, Group: receiver + ` 0 {rule="cause"}`, Labels: labels, Status: "firing", Alerts: []fleet.Page{
		{ID: "cause:ams1-A", Status: "firing", Severity: fleet.SeverityCrit, Since: at.Add(-time.Minute), Summary: "feed ams1-A is behind 18 parts in trouble", Cause: "feed ams1-A, confidence high",
			Evidence: "16 of 16 power supplies on it have no input", Blast: "explains 18 parts; services at risk: match (3 of 12 replicas)", Runbook: "https://wiki.example/cause", Holds: 17, Labels: labels},
		{ID: "fan:s01/fan1", Status: "resolved", Severity: fleet.SeverityWarn, Since: at.Add(-time.Hour), Ended: at, Summary: "s01: FAN1 5400 rpm", Labels: labels},
	}}
}

// testPages is what a test tells: nobody shall take it for a fault.
func testPages(receiver string, at time.Time) fleet.Pages {
	return fleet.Pages{Receiver: receiver, Group: receiver + " test", Labels: map[string]string{"rule": "plumb-test"}, Status: "firing", Alerts: []fleet.Page{{
		ID: "plumb-test:" + receiver, Status: "firing", Severity: fleet.SeverityInfo, Since: at, Summary: "a test of receiver " + receiver + ": nothing is wrong",
		Cause: "somebody asked for it", Labels: map[string]string{"rule": "plumb-test", "severity": "info", "target": "plumb"},
	}}}
}

// beatPages is what a heartbeat tells.
func beatPages(receiver string, at time.Time) fleet.Pages {
	return fleet.Pages{Receiver: receiver, Group: receiver + " heartbeat", Labels: map[string]string{"rule": "Watchdog"}, Status: "firing", Alerts: []fleet.Page{{
		ID: "Watchdog:plumb", Status: "firing", Severity: fleet.SeverityInfo, Since: at, Summary: "plumb watches: when this is no longer said, nobody does",
		Labels: map[string]string{"rule": "Watchdog", "severity": "info", "target": "plumb"},
	}}}
}

// atRisk is what a blast radius says of services.
func atRisk(blast string) string {
	_, services, _ := strings.Cut(blast, "services at risk: ")
	return services
}
