package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"plumb/fleet"
)

// ours are failures of this machine: nobody else meets them.
var ours = []error{
	syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EACCES, syscall.EPERM, syscall.EAFNOSUPPORT,
}

// failure is what a failed exchange with the workload says of it. Its texts may
// quote what came, and are cut when what is secret was taken out.
func failure(err error, timeout time.Duration) said {
	var at *url.Error
	if errors.As(err, &at) { // without the address, which may hold a token
		err = at.Err
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return blind(fleet.ErrUnreachable, "the name %s does not resolve", fleet.Clean(name.Name, 80))
	}
	for _, e := range ours {
		if errors.Is(err, e) {
			return blind(fleet.ErrUnreachable, "%v", e)
		}
	}
	crit := func(kind error, text string) said {
		return said{state: fleet.StateCrit, text: text, err: fmt.Errorf("%w: %s", kind, text)}
	}
	var slow net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return crit(fleet.ErrUnreachable, "connection refused")
	case errors.Is(err, syscall.EHOSTUNREACH):
		return crit(fleet.ErrUnreachable, "no route to host")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return crit(fleet.ErrTimeout, "no answer in "+timeout.String())
	}
	if text := tlsText(err); text != "" {
		return crit(fleet.ErrProtocol, text)
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return crit(fleet.ErrProtocol, "it closed the connection without an answer")
	}
	return crit(fleet.ErrProtocol, "no answer that makes sense: "+err.Error())
}

// tlsText says what is wrong with a certificate or a handshake, or "".
func tlsText(err error) string {
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		verify  *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &host):
		return "its certificate is not for this name: " + host.Error()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if c := invalid.Cert; c != nil && time.Now().After(c.NotAfter) {
			return "its certificate ended " + c.NotAfter.UTC().Format(time.RFC3339)
		}
		return "its certificate is not valid yet"
	case errors.As(err, &unknown):
		return "its certificate is signed by nobody that is trusted"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.As(err, &alert):
		return "TLS: " + alert.Error()
	case errors.As(err, &verify):
		return "its certificate is not trusted: " + verify.Err.Error()
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it does not speak TLS"
	}
	return ""
}
