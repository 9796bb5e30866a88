package notify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// needPeer skips where real software is not asked for, or not here.
func needPeer(t *testing.T, hint string, programs ...string) {
	t.Helper()
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("starts real software: set PLUMB_PEERS=1")
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s: %s", name, hint)
		}
	}
}

// freeAddress is one on loopback that nobody listens at, by TCP or UDP.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		if p, err := net.ListenPacket("udp", address); err == nil {
			p.Close()
			return address
		}
	}
	t.Fatal("no port is free by TCP and UDP")
	return ""
}

// answers waits until somebody listens at an address.
func answers(t *testing.T, address string, say func() string) {
	t.Helper()
	until(t, 20*time.Second, "somebody listens at "+address, say, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func until(t *testing.T, within time.Duration, what string, say func() string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s; %s", within, what, say())
		}
	}
}

// vouched writes ca.pem, and cert.pem with key.pem of 127.0.0.1 and name that it
// vouches for, into dir, and returns who trusts them.
func vouched(t *testing.T, dir, name string) *tls.Config {
	t.Helper()
	now := time.Now()
	sign := func(of, by *x509.Certificate, private, signer *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, of, by, private.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	fresh := func() *ecdsa.PrivateKey {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return private
	}
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	caKey, key := fresh(), fresh()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	authority := sign(ca, ca, caKey, caKey)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", authority)
	write("cert.pem", "CERTIFICATE", sign(leaf, ca, key, caKey))
	write("key.pem", "PRIVATE KEY", private)
	parsed, err := x509.ParseCertificate(authority)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{RootCAs: pool}
}
