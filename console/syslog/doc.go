// Package syslog speaks syslog to a server: messages as RFC 5424 writes them,
// over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425).
//
// The one idea: syslog has no word for "I have it". A message that was written
// to a connection has arrived as far as anybody can know when the other side
// has not closed the connection for a while after it; a [Conn] knows whether it
// did, and who sends decides how long to wait.
//
// What does not belong here: what is told. The audit log (console/auditlog) and
// alerts (console/notify) each write their own messages.
package syslog
