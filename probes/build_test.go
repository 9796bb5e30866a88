package probes

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"plumb/fleet"
)

// TestActCredentialOfSNMP: the act credential of an SNMP endpoint reaches the
// wire, and only a SET would carry it: reads carry the other.
func TestActCredentialOfSNMP(t *testing.T) {
	sock, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	sent := map[gosnmp.PDUType]map[string]int{}
	done := make(chan struct{})
	go func() { defer close(done); answerSNMP(sock, &mu, sent) }()
	t.Cleanup(func() { sock.Close(); <-done })

	community := func(s string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return s, nil }
	}
	credentials := map[string]Credential{"read": {Version: "2c", Community: community("public")}, "write": {Version: "2c", Community: community("private")}}
	inv := &fleet.Inventory{Devices: []fleet.DeviceSpec{{ID: "sw1", Endpoints: []fleet.Endpoint{
		{Source: fleet.SourceSNMP, Address: sock.LocalAddr().String(), Credential: "read", ActCredential: "write"}}}}}
	target := Targets(inv, func(name string) (Credential, bool) { c, ok := credentials[name]; return c, ok }, Defaults())[0]
	p, err := target.Build()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out, err := p.(fleet.Actor).Act(ctx, fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1"})
	if err != nil || !out.Done {
		t.Errorf("%+v, %v", out, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for kind, by := range sent {
		if kind == gosnmp.SetRequest && (by["private"] != 1 || len(by) != 1) || kind != gosnmp.SetRequest && by["private"] != 0 {
			t.Errorf("%v: %v", kind, by)
		}
	}
	if len(sent[gosnmp.SetRequest]) == 0 {
		t.Error("nothing was written")
	}
}

// answerSNMP is a switch with one port, in the words of another SNMP library.
func answerSNMP(sock net.PacketConn, mu *sync.Mutex, sent map[gosnmp.PDUType]map[string]int) {
	const ifName, ifAdmin = ".1.3.6.1.2.1.31.1.1.1.1.", ".1.3.6.1.2.1.2.2.1.7."
	admin := 1
	object := func(name string) gosnmp.SnmpPDU {
		switch name {
		case ifName + "5":
			return gosnmp.SnmpPDU{Name: name, Type: gosnmp.OctetString, Value: "Ethernet1"}
		case ifAdmin + "5":
			return gosnmp.SnmpPDU{Name: name, Type: gosnmp.Integer, Value: admin}
		}
		return gosnmp.SnmpPDU{Name: name, Type: gosnmp.NoSuchInstance}
	}
	buf := make([]byte, 65536)
	for {
		n, from, err := sock.ReadFrom(buf)
		if err != nil {
			return
		}
		wire := gosnmp.GoSNMP{}
		q, err := wire.SnmpDecodePacket(buf[:n])
		if err != nil {
			continue
		}
		mu.Lock()
		if sent[q.PDUType] == nil {
			sent[q.PDUType] = map[string]int{}
		}
		sent[q.PDUType][q.Community]++
		mu.Unlock()
		answer := gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: q.Community, PDUType: gosnmp.GetResponse, RequestID: q.RequestID}
		for _, v := range q.Variables {
			switch {
			case q.PDUType == gosnmp.GetRequest:
			case q.PDUType == gosnmp.SetRequest:
				admin, _ = v.Value.(int)
			case v.Name+"." == ifName || v.Name+"." == ifAdmin:
				v.Name += ".5"
			default:
				answer.Variables = append(answer.Variables, gosnmp.SnmpPDU{Name: v.Name, Type: gosnmp.EndOfMibView})
				continue
			}
			answer.Variables = append(answer.Variables, object(v.Name))
		}
		if b, err := answer.MarshalMsg(); err == nil {
			_, _ = sock.WriteTo(b, from)
		}
	}
}
