package auditlog

import (
	"strconv"
	"strings"
	"time"

	"plumb/console/syslog"
	"plumb/fleet"
)

// message is an entry as RFC 5424 writes it: a try that was denied, refused or
// failed is a warning, everything else a notice. Its parameters are all of the
// entry, so that a receiver can check the chain.
func message(host string, e *fleet.AuditEntry) []byte {
	severity := syslog.Notice
	switch e.Outcome {
	case "denied", "refused", "failed", "unknown":
		severity = syslog.Warning
	}
	return syslog.Message(syslog.Head{Facility: syslog.LogAudit, Severity: severity, At: e.At, Host: host, ID: "audit"}, []syslog.Param{
		{Name: "seq", Value: strconv.FormatUint(e.Seq, 10)}, {Name: "hash", Value: e.Hash}, {Name: "prev", Value: e.Prev}, {Name: "at", Value: e.At.UTC().Format("2006-01-02T15:04:05.000000000Z")},
		{Name: "who", Value: e.Who}, {Name: "from", Value: e.From}, {Name: "action", Value: e.Action}, {Name: "target", Value: e.Target}, {Name: "outcome", Value: e.Outcome}, {Name: "reason", Value: e.Reason},
	}, strings.TrimSpace(e.Who+" "+e.Action+" "+e.Target+" "+e.Outcome+": "+e.Reason))
}

// message is the head as RFC 5424 writes it.
func (h *Head) message(host string, at time.Time) []byte {
	return syslog.Message(syslog.Head{Facility: syslog.LogAudit, Severity: syslog.Notice, At: at, Host: host, ID: "head"}, []syslog.Param{
		{Name: "seq", Value: strconv.FormatUint(h.Seq, 10)}, {Name: "hash", Value: h.Hash}, {Name: "at", Value: h.At}, {Name: "key", Value: h.Key}, {Name: "signature", Value: h.Signature},
	}, "audit log signed up to "+strconv.FormatUint(h.Seq, 10))
}
