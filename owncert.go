package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"

	"plumb/console/config"
	"plumb/console/remotewrite"
)

// ownCert is a certificate that plumb shows: at the address of metrics, to a
// receiver of readings. What renews certificates replaces files and tells nobody:
// they are read anew whenever they differ, and what is broken, or half replaced,
// leaves the old one in use.
type ownCert struct {
	setting   string // what the configuration calls it: metrics: cert_file
	cert, key string // the files
	log       *slog.Logger

	mu      sync.Mutex // guards what follows
	inUse   *tls.Certificate
	read    [2][]byte // what the files held when they were looked at last
	trouble string    // what is wrong with them; "": nothing
}

// asServer returns c with the certificate of now in place of the one that was
// read with the configuration.
func (w *ownCert) asServer(c *tls.Config) *tls.Config {
	w.inUse, c = &c.Certificates[0], c.Clone()
	c.Certificates, c.GetCertificate = nil, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.shown(), nil }
	return c
}

// asClient is asServer for who connects.
func (w *ownCert) asClient(c *tls.Config) *tls.Config {
	w.inUse, c = &c.Certificates[0], c.Clone()
	c.Certificates, c.GetClientCertificate = nil, func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return w.shown(), nil }
	return c
}

// watched is the certificate that is shown to a receiver of readings, and how to
// connect with it.
func watched(c remotewrite.Config, log *slog.Logger) (*ownCert, *tls.Config) {
	own := &ownCert{setting: c.CertSetting(), cert: c.CertFile, key: c.KeyFile, log: log}
	return own, own.asClient(c.TLS)
}

func (w *ownCert) shown() *tls.Certificate {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inUse
}

// look reads the files, and returns what is wrong with them.
func (w *ownCert) look() string {
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
		w.trouble = fmt.Sprintf("the files of %s cannot be used (%v): the certificate of before is shown", w.setting, err)
		if w.trouble != was {
			w.log.Error("a certificate of plumb's own was not read anew, the one of before is shown", "setting", w.setting, "err", err, "until", w.inUse.Leaf.NotAfter)
		}
	case !bytes.Equal(pair.Certificate[0], w.inUse.Certificate[0]):
		w.inUse = &pair
		w.log.Info("a certificate of plumb's own was read anew", "setting", w.setting, "until", pair.Leaf.NotAfter)
	}
	return w.trouble
}

// ownCerts are those whose files are watched.
type ownCerts []*ownCert

// look looks at all, and joins what is wrong.
func (list ownCerts) look() (trouble string) {
	for _, w := range list {
		trouble = and(trouble, w.look())
	}
	return trouble
}

// among puts the ends of the certificates that are shown now in the places of
// those that were read with the configuration.
func (list ownCerts) among(read []config.Certificate) []config.Certificate {
	out := slices.Clone(read)
	for _, w := range list {
		for i := range out {
			if out[i].Setting == w.setting {
				out[i].NotAfter = w.shown().Leaf.NotAfter
			}
		}
	}
	return out
}
