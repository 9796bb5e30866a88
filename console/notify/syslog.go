package notify

import (
	"context"
	"crypto/tls"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"plumb/console/syslog"
	"plumb/fleet"
)

// Syslog writes a message for each alert to a syslog server.
type Syslog struct {
	Server   *syslog.Server
	Facility syslog.Facility
	TLS      *tls.Config // nil: as the server was read
}

// Kind implements [Kind].
func (*Syslog) Kind() string        { return "syslog" }
func (*Syslog) defaultText() string { return defaultBody }
func (*Syslog) pages() bool         { return false }

// Validate implements [Kind].
func (k *Syslog) Validate() error {
	switch {
	case k.Server == nil:
		return wrong("has no server: want server: udp://HOST:PORT, tcp://... or tls://...")
	case k.Facility < 0 || k.Facility > 23:
		return wrong("facility: %d is not within 0 and 23", k.Facility)
	}
	return nil
}

func (k *Syslog) sender() Sender {
	to := k.Server
	if k.TLS != nil {
		to = to.WithTLS(tlsOf(k.TLS))
	}
	return &logger{Syslog: k, to: to, host: syslog.Hostname(), turn: make(chan struct{}, 1)}
}

type logger struct {
	*Syslog
	to   *syslog.Server
	host string
	turn chan struct{} // held by who uses conn
	conn *syslog.Conn  // nil: none
}

// settle is how long a connection has to stay open after a message before the
// message counts as arrived: syslog has no word for it.
const settle = 250 * time.Millisecond

// Bounds of a message in bytes: what every server takes over UDP (RFC 5426
// section 3.2), and over a connection.
const (
	maxDatagram = 2048
	maxFrame    = 8192
)

// Send implements [Sender].
func (s *logger) Send(ctx context.Context, m *Message) (string, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	if err := s.write(ctx, m); err != nil {
		s.drop()
		return "", err
	}
	if s.to.Datagrams() {
		return "sent; over UDP nobody answers", nil
	}
	return "written, and the connection stands", nil
}

func (s *logger) write(ctx context.Context, m *Message) (err error) {
	if s.conn != nil && s.conn.Broken() {
		s.drop()
	}
	if s.conn == nil {
		if s.conn, err = s.to.Dial(ctx); err != nil {
			return err
		}
	}
	for i := range m.Pages.Alerts {
		if err := s.conn.Send(ctx, s.message(m, &m.Pages.Alerts[i])); err != nil {
			return err
		}
	}
	select {
	case <-s.conn.Ended():
		return io.ErrUnexpectedEOF
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (s *logger) drop() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// Close ends the connection once nobody uses it.
func (s *logger) Close() {
	s.turn <- struct{}{}
	s.drop()
	<-s.turn
}

var syslogSeverity = map[fleet.Severity]syslog.Severity{fleet.SeverityInfo: syslog.Info, fleet.SeverityWarn: syslog.Warning, fleet.SeverityCrit: syslog.Critical}

// message is one alert. Labels go last into the structured data: they are the
// first to be left out where there is no room.
func (s *logger) message(m *Message, p *fleet.Page) []byte {
	severity := syslogSeverity[p.Severity]
	if p.Status == "resolved" {
		severity = syslog.Notice
	}
	most := maxFrame
	if s.to.Datagrams() {
		most = maxDatagram
	}
	params := []syslog.Param{{Name: "key", Value: m.Key}, {Name: "alert", Value: p.ID}, {Name: "status", Value: p.Status}, {Name: "severity", Value: p.Severity.String()}}
	for _, x := range [...][2]string{{"holds", strconv.Itoa(p.Holds)}, {"cause", p.Cause}, {"blast", p.Blast}, {"evidence", p.Evidence}, {"runbook", p.Runbook}} {
		if x[1] != "" && x[1] != "0" {
			params = append(params, syslog.Param{Name: x[0], Value: x[1]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Labels)) {
		params = append(params, syslog.Param{Name: "label." + syslog.ParamName(name), Value: p.Labels[name]})
	}
	what := m.What
	if what == WhatAlerts {
		what = "alert"
	}
	head := syslog.Head{Facility: s.Facility, Severity: severity, At: m.At, Host: s.host, ID: what}
	text := p.Status + ": " + p.Summary
	for {
		b := syslog.Message(head, params, text)
		if len(b) <= most || len(params) == 0 {
			return []byte(cut(string(b), most))
		}
		params = params[:len(params)-1]
	}
}
