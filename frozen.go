package main

import (
	"crypto/tls"
	"reflect"
	"slices"

	"plumb/console/config"
	"plumb/console/remotewrite"
)

// frozen lists the settings that differ and are read at the start only. Saying
// "reloaded" of them would be a lie.
func (b blueprint) frozen(next blueprint) (later []string) {
	differs := func(name string, was, is any) {
		if !reflect.DeepEqual(was, is) {
			later = append(later, name)
		}
	}
	differs("store", b.store, next.store)
	differs("poll", b.polls, next.polls)
	differs("audit.export", b.audit.File+b.audit.Syslog.String(), next.audit.File+next.audit.Syslog.String())
	differs("metrics.listen", b.metrics, next.metrics)
	differs("metrics.credential", admits(b.web), admits(next.web))
	if b.web.CertFile != next.web.CertFile || b.web.KeyFile != next.web.KeyFile || !sameTrust(b.web.TLS, next.web.TLS) {
		later = append(later, "metrics.cert_file")
	}
	if !reflect.DeepEqual(told(b.remote), told(next.remote)) || !slices.EqualFunc(b.remote, next.remote, func(x, y remotewrite.Config) bool { return sameTrust(x.TLS, y.TLS) }) {
		later = append(later, "remote_write")
	}
	if b.ssh != nil && next.ssh != nil {
		differs("ssh.listen", b.sshAddr, next.sshAddr)
		differs("ssh.host_key", b.ssh.HostKey, next.ssh.HostKey)
		differs("ssh.max_sessions", b.ssh.MaxSessions, next.ssh.MaxSessions)
		differs("ssh.idle", b.ssh.Idle, next.ssh.Idle)
	}
	return later
}

// admits is what can be compared of who may read over HTTP. The password itself
// is read each time; that it is somewhere else now is not seen before a restart.
func admits(m config.Metrics) []any { return []any{m.Username, m.Password != nil, m.PasswordAt} }

// told is what of receivers of readings can be compared, but for whom they trust.
func told(list []remotewrite.Config) (out []any) {
	for _, c := range list {
		out = append(out, []any{c.Name, c.URL.String(), c.Match, c.Labels, c.Headers, c.Username, c.Password != nil, c.PasswordAt, c.CertFile, c.KeyFile, c.Timeout})
	}
	return out
}

// sameTrust reports whether the same certificates are believed, whichever is shown.
func sameTrust(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ClientAuth == b.ClientAuth && a.RootCAs.Equal(b.RootCAs) && a.ClientCAs.Equal(b.ClientCAs)
}
