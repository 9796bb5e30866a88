package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/console/config"
)

// pemPair is a certificate that says its number, and its key.
func pemPair(t *testing.T, number int64, until time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(number), NotBefore: time.Now().Add(-time.Hour), NotAfter: until, DNSNames: []string{"plumb"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// TestRenewedCertificateIsShown: who connects sees the certificate of now; half a
// renewal, rubbish and a file that is gone leave the one of before, and are said.
func TestRenewedCertificateIsShown(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	cert1, key1 := pemPair(t, 1, now.Add(24*time.Hour))
	cert2, key2 := pemPair(t, 2, now.Add(90*24*time.Hour))
	write(certFile, cert1)
	write(keyFile, key1)
	if err := os.WriteFile(filepath.Join(dir, "plumb.yaml"), []byte("store: {dir: data}\nmetrics: {listen: \"127.0.0.1:0\", cert_file: cert.pem, key_file: key.pem}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(t.Context(), filepath.Join(dir, "plumb.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{blueprint: blueprint{metrics: "127.0.0.1:0", web: f.Metrics, log: slog.New(slog.DiscardHandler)}}
	if err := h.listenWeb(); err != nil {
		t.Fatal(err)
	}
	defer h.webLn.Close()
	go func() {
		for {
			c, err := h.webLn.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).HandshakeContext(t.Context())
			c.Close()
		}
	}()
	shown := func() int64 {
		t.Helper()
		c, err := tls.Dial("tcp", h.webLn.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	for _, step := range []struct {
		name    string
		do      func()
		number  int64
		trouble bool
	}{
		{"as at the start", func() {}, 1, false},
		{"half renewed", func() { write(certFile, cert2) }, 1, true},
		{"renewed", func() { write(keyFile, key2) }, 2, false},
		{"rubbish", func() { write(certFile, []byte("no certificate")) }, 2, true},
		{"gone", func() { os.Remove(keyFile) }, 2, true},
		{"put back", func() { write(certFile, cert1); write(keyFile, key1) }, 1, false},
	} {
		step.do()
		for range 2 { // it is so at the second look too
			if says := h.ownCerts.look(); (says != "") != step.trouble || step.trouble && !strings.Contains(says, "metrics: cert_file") {
				t.Errorf("%s: it says %q", step.name, says)
			}
		}
		if got := shown(); got != step.number {
			t.Errorf("%s: certificate %d is shown, want %d", step.name, got, step.number)
		}
	}
	write(certFile, cert2)
	write(keyFile, key2)
	h.ownCerts.look()
	if said := expiring(h.ownCerts.among(f.Certificates), now); said != "" || expiring(f.Certificates, now) == "" {
		t.Errorf("a renewed certificate is spoken of: %q", said)
	}
}

// TestRenewedCertificateIsShownToReceivers: so does a receiver of readings, at
// the next connection, and a reload that finds the new one has nothing to say.
func TestRenewedCertificateIsShownToReceivers(t *testing.T) {
	dir := t.TempDir()
	put := func(number int64, until time.Time) {
		t.Helper()
		cert, key := pemPair(t, number, until)
		for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	load := func() *config.File {
		t.Helper()
		f, err := config.Load(t.Context(), filepath.Join(dir, "plumb.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	now := time.Now()
	put(1, now.Add(24*time.Hour))
	if err := os.WriteFile(filepath.Join(dir, "plumb.yaml"), []byte("store: {dir: data}\nremote_write: [{name: long, url: \"https://127.0.0.1:1/api/v1/write\", cert_file: cert.pem, key_file: key.pem}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := load()
	own, client := watched(f.RemoteWrite[0], slog.New(slog.DiscardHandler))
	shown := func() int64 {
		t.Helper()
		near, far := net.Pipe()
		defer near.Close()
		cert, key := pemPair(t, 100, now.Add(time.Hour))
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert})
		go func() {
			c := client.Clone()
			c.InsecureSkipVerify = true
			_ = tls.Client(near, c).HandshakeContext(t.Context())
		}()
		if err := server.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return server.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := shown(); got != 1 {
		t.Errorf("certificate %d is shown at first", got)
	}
	put(2, now.Add(90*24*time.Hour))
	if says := own.look(); says != "" {
		t.Errorf("renewed: it says %q", says)
	}
	if got := shown(); got != 2 {
		t.Errorf("renewed: certificate %d is shown", got)
	}
	if said := expiring(ownCerts{own}.among(f.Certificates), now); said != "" || expiring(f.Certificates, now) == "" {
		t.Errorf("a renewed certificate is spoken of: %q", said)
	}
	if later := (blueprint{remote: f.RemoteWrite}).frozen(blueprint{remote: load().RemoteWrite}); len(later) > 0 {
		t.Errorf("a reload waits for a restart with %v", later)
	}
}
