package views

import (
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// drawDeviceCard draws a device in a box: what it is and why it is as it is;
// where head is false, also its readings and where its cords lead.
func drawDeviceCard(f Frame, on widget.Canvas, d *fleet.Device, head bool) {
	note := d.State.String()
	if d.Maintenance {
		note = "maintenance"
	}
	box := widget.Box(on, f.Theme, d.Spec.Name, note, false)
	in := box.Sub(1, 0, box.W-2, box.H)
	y := drawDeviceHead(f, in, d) + 1
	if head || y >= in.H {
		return
	}
	y += drawKeyReadings(f, in.Sub(0, y, in.W, max(3, (in.H-y)*3/5)), d) + 1
	y += drawKeyEnds(f, in.Sub(0, y, in.W, in.H-y), d) + 1
	y += drawKeyCarries(f, in.Sub(0, y, in.W, in.H-y), d)
	if h := min(in.H-y, 12); h >= 6 && d.PowerW.Known {
		chart := in.Sub(0, in.H-h, in.W, h)
		chart.Text(0, 0, "total power, last "+span(cardSpan), widget.Dim)
		drawSeries(f, chart.Sub(0, 1, in.W, h-1), totalQuery(d.Spec.ID, cardSpan), fleet.Limits{}, scaledValue, widget.Fill)
	}
}

// cardSpan is how far back the chart of a card reaches.
const cardSpan = 6 * time.Hour

// cardNeeds is what the card of a device asks.
func cardNeeds(f Frame, id string) []fleet.Query {
	if d := f.Snap.Devices.Get(id); d != nil && d.PowerW.Known {
		return []fleet.Query{totalQuery(id, cardSpan)}
	}
	return nil
}

// headHeight is the rows drawDeviceHead takes in a box of w columns.
func headHeight(f Frame, d *fleet.Device, w int) int {
	return drawDeviceHead(f, widget.Measure(w-4), d)
}

// drawDeviceHead draws identity, state, reasons and what could not be read,
// and returns the rows it took.
func drawDeviceHead(f Frame, in widget.Canvas, d *fleet.Device) int {
	y := drawIdentity(f, in, d)
	glyph, st := mark(f.Theme, d)
	x := in.Text(0, y, glyph, st) + 1
	x = in.Text(x, y, stateWord(d), st) + 2
	x = drawNow(f, in, x, y, KindDevice, d.Spec.ID)
	power, now, inlet := "power ", widget.Plain, tempStyle(d.InletC)
	if d.Blind() {
		power, now, inlet = "was ", widget.Dim, widget.Dim // nobody knows what it is
	}
	if d.Spec.Kind == fleet.KindServer {
		x = in.Text(in.Text(x, y, power, widget.Dim), y, d.Power.String(), now) + 2
	}
	if d.PowerW.Known {
		x = in.Text(x, y, watts(d.PowerW), now) + 2
	}
	if d.InletC.Known {
		x = in.Text(in.Text(x, y, "inlet ", widget.Dim), y, quantity(f.Theme, d.InletC, "C"), inlet) + 2
	}
	if d.DriftOpen > 0 {
		x = in.Text(x, y, f.Theme.Glyphs.Drift+fleet.Count(d.DriftOpen, "drift"), widget.Drift) + 2
	}
	seen := "seen " + since(f, d.SeenAt) + " ago"
	if d.SeenAt.IsZero() {
		seen = "never seen"
	}
	if x+len(seen) <= in.W {
		in.Text(x, y, seen, widget.Dim)
	}
	y++
	if len(d.Reasons) > 0 {
		in.Text(0, y, "why", widget.Dim)
		y += in.Wrap(6, y, in.W-6, 4, strings.Join(d.Reasons, "; "), widget.StateStyle(d.State))
	}
	y += drawOwnAlerts(f, in, y, activeOn(f, d.Spec.ID), -1)
	y += drawOwnForetold(f, in, y, d)
	return y + drawBlind(f, in, y, d) + drawPartial(f, in, y+drawnBlind(d, in.W), d)
}

func stateWord(d *fleet.Device) string {
	if d.Maintenance {
		return d.State.String() + ", in maintenance"
	}
	return d.State.String()
}

// drawIdentity draws model, serial, place, owner and address.
func drawIdentity(f Frame, in widget.Canvas, d *fleet.Device) int {
	s, sep := d.Spec, "  "
	model := d.Facts.Get(fleet.FactModel)
	if model == "" {
		model = s.Model
	}
	vendor := d.Facts.Get(fleet.FactVendor)
	one := strings.TrimSpace(vendor + " " + or(model))
	x := in.Cut(f.Theme, 0, 0, in.W, one, widget.Bold)
	more := ""
	if s.Height > 0 {
		more += sep + number(s.Height.Num(), 1) + "U"
	}
	if sn := serialOf(d); sn != "" {
		more += sep + "sn " + sn
	}
	if fw := d.Facts.Get(fleet.FactFirmware); fw != "" {
		more += sep + "fw " + fw
	}
	in.Cut(f.Theme, x, 0, in.W-x, more, widget.Plain)
	who := string(s.Kind)
	for _, p := range [...][2]string{{"owner", s.Owner}, {"tenant", s.Tenant}, {"env", s.Env}} {
		if p[1] != "" {
			who += sep + p[0] + " " + p[1]
		} else if p[0] == "owner" {
			who += sep + "no owner"
		}
	}
	if !s.WarrantyUntil.IsZero() {
		if left := s.WarrantyUntil.Sub(f.At); left > 0 {
			who += sep + "warranty " + span(left)
		} else {
			who += sep + "warranty ended " + span(-left) + " ago"
		}
	}
	in.Cut(f.Theme, 0, 1, in.W, who, widget.Dim)
	wire := ""
	for i := range s.Endpoints {
		wire += string(s.Endpoints[i].Source) + " " + s.Endpoints[i].Address + sep
	}
	if wire == "" {
		wire = "no way to see it is configured"
	}
	in.Cut(f.Theme, 0, 2, in.W, wire, widget.Dim)
	return 3
}

// drawnBlind is the rows drawBlind takes.
func drawnBlind(d *fleet.Device, w int) int {
	switch {
	case !d.Blind():
		return 0
	case d.Err == nil:
		return 1
	}
	return 3
}

// drawBlind says that a device does not answer, since when, with which error,
// and what to do about it.
func drawBlind(f Frame, in widget.Canvas, y int, d *fleet.Device) int {
	if !d.Blind() {
		return 0
	}
	in.Text(0, y, "blind", widget.Unknown)
	in.Cut(f.Theme, 6, y, in.W-6, "no answer for "+since(f, d.BlindSince)+"; all below is "+since(f, d.SeenAt)+" old", widget.Unknown)
	if d.Err == nil {
		return 1
	}
	in.Cut(f.Theme, 6, y+1, in.W-6, d.Err.Op+": "+d.Err.Err.Error(), widget.Plain)
	in.Cut(f.Theme, 6, y+2, in.W-6, hintFor(d.Err.Kind()), widget.Dim)
	return 3
}

// hintFor says what to look at for an error kind.
func hintFor(kind string) string {
	switch kind {
	case "unreachable":
		return "look at its address, cable, management VLAN"
	case "timeout":
		return "it answered before: overloaded, or a path down?"
	case "auth":
		return "the credential is refused; polling waits for a new one"
	case "busy":
		return "all its sessions are taken: who else is logged in?"
	case "unsupported":
		return "it cannot do this; a quirk of its model may help"
	}
	return "it answers nonsense: see its log, try another quirk"
}

// drawPartial names the tables that were read only in part or not at all.
func drawPartial(f Frame, in widget.Canvas, y int, d *fleet.Device) int {
	if !f.Live {
		return 0 // how well a table was read is not remembered
	}
	var parts []string
	for t, s := range d.Tables {
		if s.Is == fleet.Partial || s.Is == fleet.Failed {
			parts = append(parts, fleet.TableID(t).String()+" "+s.Is.String())
		}
	}
	if len(parts) == 0 {
		return 0
	}
	in.Text(0, y, "read", widget.Dim)
	in.Cut(f.Theme, 6, y, in.W-6, strings.Join(parts, ", ")+"; the rest is kept as it was", widget.Warn)
	return 1
}

// drawKeyReadings draws the readings that matter most in a small card: what is
// not in order, then one of each class.
func drawKeyReadings(f Frame, in widget.Canvas, d *fleet.Device) int {
	if len(d.Sensors) == 0 {
		in.Text(0, 0, "no sensor has been read", widget.Dim)
		return 1
	}
	y := 0
	draw := func(s *fleet.Sensor) {
		if y >= in.H {
			return
		}
		state := s.State
		if d.Blind() {
			state = fleet.StateUnknown
		}
		in.Glyph(f.Theme, 0, y, state)
		nameW := max(12, in.W-30)
		in.Cut(f.Theme, 2, y, nameW, s.Name, widget.Plain)
		value := quantity(f.Theme, s.Value, s.Unit)
		if s.Class == fleet.ClassState {
			value = sensorWord(s)
		}
		st := widget.StateStyle(s.State)
		if s.State == fleet.StateOK {
			st = widget.Plain // the glyph says it; only what is wrong is coloured
		}
		if d.Blind() {
			st = widget.Dim
		}
		in.CutRight(f.Theme, 3+nameW, y, 11, value, st)
		in.CutRight(f.Theme, 15+nameW, y, in.W-15-nameW, limitText(s.Limits), widget.Dim)
		y++
	}
	for i := range d.Sensors {
		if urgency(d.Sensors[i].State) < 2 {
			draw(&d.Sensors[i])
		}
	}
	for i := range d.Sensors {
		if urgency(d.Sensors[i].State) == 2 {
			draw(&d.Sensors[i])
		}
	}
	return y
}

// drawKeyEnds draws where cords and cables lead, as many as fit, and returns
// how many did.
func drawKeyEnds(f Frame, in widget.Canvas, d *fleet.Device) int {
	ends := deviceEnds(f, d, nil)
	near, to := endWidths(ends, in.W)
	y := 0
	for ; y < in.H && y < len(ends); y++ {
		ends[y].draw(f, in.Sub(0, y, in.W, 1), near, to)
	}
	return y
}

// drawKeyCarries draws what runs on a device, at most six lines of it.
func drawKeyCarries(f Frame, in widget.Canvas, d *fleet.Device) int {
	all, y := deviceCarries(f, d, nil), 0
	for ; y < in.H && y < len(all); y++ {
		if y == 5 && len(all) > 6 {
			in.Text(2, y, "and "+strconv.Itoa(len(all)-y)+" more run on it", widget.Dim)
			return y + 1
		}
		drawCarried(f, in.Sub(0, y, in.W, 1), all[y])
	}
	return y
}

// limitText writes warn and crit as people compare: "38 / 42", ">2000 / >1500".
func limitText(l fleet.Limits) string {
	warn, crit := bound(l.LowWarn, l.HighWarn), bound(l.LowCrit, l.HighCrit)
	switch {
	case warn == "" && crit == "":
		return ""
	case warn == "":
		return dash + " / " + crit
	case crit == "":
		return warn
	}
	return warn + " / " + crit
}

func bound(lo, hi fleet.Num) string {
	switch {
	case lo.Known && hi.Known:
		return number(lo, 2) + ".." + number(hi, 2)
	case lo.Known:
		return ">" + number(lo, 2)
	case hi.Known:
		return number(hi, 2)
	}
	return ""
}
