package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"plumb/console/config"
	"plumb/console/notify"
)

// TestReceiversDoc loads the example of docs/receivers.md as a reader would
// write it; it shows every kind.
func TestReceiversDoc(t *testing.T) {
	doc, err := os.ReadFile("docs/receivers.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(doc)
	if block == nil {
		t.Fatal("it shows no receivers")
	}
	dir := t.TempDir()
	cert, key := selfSigned(t)
	for name, text := range map[string]string{"plumb.yaml": string(block[1]), "ca.pem": cert, "plumb.pem": cert, "plumb.key": key,
		"pagerduty.key": "k", "hook.secret": "k", "slack.url": "https://hooks.example/x", "mail.pw": "k"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := config.OS()
	env.LookPath = func(string) error { return nil }
	f, err := config.Parse(filepath.Join(dir, "plumb.yaml"), block[1], env)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Certificates) == 0 || !strings.HasPrefix(f.Certificates[0].Setting, "alerts.receivers: ") || !strings.HasSuffix(f.Certificates[0].Setting, "tls.cert") {
		t.Errorf("it names a certificate, whose age nobody will watch: %+v", f.Certificates)
	}
	var kinds []string
	for _, r := range f.Receivers {
		kinds = append(kinds, r.Kind.Kind())
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, notify.Kinds()) {
		t.Errorf("it shows %v, there are %v", kinds, notify.Kinds())
	}
}

// selfSigned is a certificate and its key in PEM.
func selfSigned(t *testing.T) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
