package main

import (
	"context"
	"crypto/tls"
	"net"
	"testing"

	"plumb/console/config"
)

// Who opens the fleet's addresses and readings to a network is told so.
func TestOpenToEverybody(t *testing.T) {
	secret := func(context.Context) (string, error) { return "hush", nil }
	for _, c := range []struct {
		ip   string
		m    config.Metrics
		want bool
	}{
		{"127.0.0.1", config.Metrics{}, false},
		{"::1", config.Metrics{}, false},
		{"0.0.0.0", config.Metrics{}, true},
		{"::", config.Metrics{TLS: &tls.Config{}}, true},
		{"10.0.0.5", config.Metrics{Password: secret}, false},
		{"10.0.0.5", config.Metrics{TLS: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}}, false},
	} {
		if got := open(&net.TCPAddr{IP: net.ParseIP(c.ip), Port: 9464}, c.m); got != c.want {
			t.Errorf("%s, %+v: %v", c.ip, c.m, got)
		}
	}
}
