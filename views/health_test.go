package views

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// What a workload says stands on its line and in its cell, with what is not sure.
func TestHealthIsDrawn(t *testing.T) {
	f := frame(160, 50)
	asked := &fleet.ServiceSpec{Name: "shop", Health: &fleet.HealthSpec{Kind: fleet.HealthHTTP, Address: "https://shop.example/healthz?key=1"}}
	at := f.At.Add(-4 * time.Second)
	for _, c := range []struct {
		name       string
		health     *fleet.Health
		line, cell string
	}{
		{"never asked", nil, "not asked yet", "unknown"},
		{"well", &fleet.Health{State: fleet.StateOK, Said: fleet.StateOK, Hard: fleet.StateOK, Text: "HTTP 200", SaidAt: at, LatencyMs: fleet.Int(12)}, "HTTP 200  12 ms heard 4.0s ago", "12 ms"},
		{"sick", &fleet.Health{State: fleet.StateCrit, Said: fleet.StateCrit, Hard: fleet.StateCrit, Bad: 5, Text: "HTTP 500", SaidAt: at}, "HTTP 500", "crit"},
		{"soft", &fleet.Health{State: fleet.StateOK, Said: fleet.StateCrit, Hard: fleet.StateOK, Bad: 1, Text: "HTTP 500", SaidAt: at}, "1 bad look, not counted yet", "ok ?"},
		{"blind", &fleet.Health{State: fleet.StateUnknown, Said: fleet.StateOK, Text: "HTTP 200", SaidAt: at, BlindSince: at, Err: &fleet.ProbeError{Err: fleet.ErrTimeout}}, "cannot be asked: timeout", "unknown"},
	} {
		s := &fleet.Service{Spec: asked, Health: c.health}
		line, cell := widget.NewBuffer(160, 1), widget.NewBuffer(16, 1)
		drawHealth(f, line.Canvas(), s)
		drawHealthCell(f, cell.Canvas(), s)
		if text := line.Plain(); !strings.Contains(text, c.line) && c.name != "well" || strings.Contains(text, "key=1") || !strings.Contains(text, "https://shop.example/healthz") {
			t.Errorf("%s: %q", c.name, text)
		}
		if text := cell.Plain(); !strings.Contains(text, c.cell) {
			t.Errorf("%s: %q", c.name, text)
		}
	}
}
