package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"plumb/console/config"
)

// webCertSetting is what the configuration calls the certificate of the address
// of metrics.
const webCertSetting = "metrics: cert_file"

// webCert is the certificate that is shown there. What renews certificates
// replaces files and tells nobody: they are read anew whenever they differ, and
// what is broken, or half replaced, leaves the old one in use.
type webCert struct {
	cert, key string // the files
	log       *slog.Logger

	mu      sync.Mutex // guards what follows
	inUse   *tls.Certificate
	read    [2][]byte // what the files held when they were looked at last
	trouble string    // what is wrong with them; "": nothing
}

// newWebCert shows what the configuration read, until the files say otherwise.
func newWebCert(m config.Metrics, log *slog.Logger) *webCert {
	return &webCert{cert: m.CertFile, key: m.KeyFile, log: log, inUse: &m.TLS.Certificates[0]}
}

// shown is for tls.Config.
func (w *webCert) shown(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inUse, nil
}

// look reads the files, and returns what is wrong with them; a nil one has none.
func (w *webCert) look() string {
	if w == nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	cert, err := os.ReadFile(w.cert)
	key, unread := os.ReadFile(w.key)
	if err == nil {
		err = unread
	}
	if err == nil && bytes.Equal(cert, w.read[0]) && bytes.Equal(key, w.read[1]) {
		return w.trouble
	}
	was := w.trouble
	w.trouble = ""
	var pair tls.Certificate
	if err == nil {
		w.read = [2][]byte{cert, key}
		pair, err = tls.X509KeyPair(cert, key)
	}
	switch {
	case err != nil:
		w.read = [2][]byte{}
		w.trouble = fmt.Sprintf("the files of %s cannot be used (%v): the certificate of before is shown", webCertSetting, err)
		if w.trouble != was {
			w.log.Error("the certificate of metrics was not read anew, the one of before is shown", "err", err, "until", w.inUse.Leaf.NotAfter)
		}
	case !bytes.Equal(pair.Certificate[0], w.inUse.Certificate[0]):
		w.inUse = &pair
		w.log.Info("the certificate of metrics was read anew", "until", pair.Leaf.NotAfter)
	}
	return w.trouble
}

// among puts the end of the certificate that is shown now in the place of the one
// that was read at the start.
func (w *webCert) among(list []config.Certificate) []config.Certificate {
	if w == nil {
		return list
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]config.Certificate, 0, len(list))
	for _, c := range list {
		if c.Setting == webCertSetting {
			c.NotAfter = w.inUse.Leaf.NotAfter
		}
		out = append(out, c)
	}
	return out
}
