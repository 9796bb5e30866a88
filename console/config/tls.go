package config

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// authorities reads the certificates that vouch for servers; nil: those of the
// system.
func (b *builder) authorities(r ref, what, dir string) *x509.CertPool {
	if r.name == "" {
		return nil
	}
	text, err := b.env.ReadFile(inDir(dir, r.name))
	pool := x509.NewCertPool()
	switch {
	case err != nil:
		b.errs.add(r.at, what, quote(r.name)+": "+reason(err).Error(), "")
	case !pool.AppendCertsFromPEM(text):
		b.errs.add(r.at, what, quote(r.name)+" holds no certificate in PEM", "")
	}
	return pool
}

// Certificate is a certificate that plumb shows to others, with the setting that
// names it.
type Certificate struct {
	Setting  string
	NotAfter time.Time
}

// certFiles are a certificate with its key, and what the file calls the two.
type certFiles struct {
	cert, key         ref
	certName, keyName string
}

// keyPair reads a certificate with its key; nil: neither is named, or, not ok,
// something is wrong with them.
func (b *builder) keyPair(f certFiles, at place, what, dir string) (pair *tls.Certificate, ok bool) {
	switch {
	case f.cert.name == "" && f.key.name == "":
		return nil, true
	case f.cert.name == "" || f.key.name == "":
		b.errs.add(at, what, f.certName+" and "+f.keyName+" go together", "")
		return nil, false
	}
	cert, err := b.env.ReadFile(inDir(dir, f.cert.name))
	if err != nil {
		b.errs.add(f.cert.at, what+": "+f.certName, quote(f.cert.name)+": "+reason(err).Error(), "")
		return nil, false
	}
	key, err := b.env.ReadFile(inDir(dir, f.key.name))
	if err != nil {
		b.errs.add(f.key.at, what+": "+f.keyName, quote(f.key.name)+": "+reason(err).Error(), "")
		return nil, false
	}
	both, err := tls.X509KeyPair(cert, key)
	if err != nil {
		b.errs.add(f.cert.at, what+": "+f.certName, "it and "+f.keyName+" are no pair in PEM", "")
		return nil, false
	}
	if leaf, err := x509.ParseCertificate(both.Certificate[0]); err == nil {
		b.file.Certificates = append(b.file.Certificates, Certificate{what + ": " + f.certName, leaf.NotAfter})
	}
	return &both, true
}
