package config

import "crypto/tls"

// metrics says where plumb is read over HTTP, and by whom.
func (b *builder) metrics(y *metricsYAML, dir string) {
	m := &b.file.Metrics
	m.Listen = b.address(y.Listen, "metrics.listen", "")
	if pair, _ := b.keyPair(certFiles{y.CertFile, y.KeyFile, "cert_file", "key_file"}, y.At, "metrics", dir); pair != nil {
		m.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*pair}, NextProtos: []string{"http/1.1"}}
		m.CertFile, m.KeyFile = inDir(dir, y.CertFile.name), inDir(dir, y.KeyFile.name)
	}
	switch {
	case y.ClientCA.name == "":
	case m.TLS == nil:
		b.errs.add(y.ClientCA.at, "metrics", "client_ca_file needs cert_file and key_file: who is asked for a certificate has to be shown one", "")
	default:
		m.TLS.ClientCAs, m.TLS.ClientAuth = b.authorities(y.ClientCA, "metrics: client_ca_file", dir), tls.RequireAndVerifyClientCert
	}
	if y.Credential.name != "" {
		b.after = append(b.after, func() {
			if c, ok := b.webCredential(y.Credential, "metrics"); ok {
				m.Username, m.Password, m.PasswordAt = c.Username, c.Password.Get, c.Password.where
			}
		})
	}
}
